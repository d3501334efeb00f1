// A matrix (outputs, inputs) and a bias (outputs), as torch.nn.Linear has them.

import { product, transposedProduct } from "./matrix.js";

export function forward({ weight, bias }, x) {
  return { data: product(weight, x.data, x.data.length, bias), shape: [bias.length] };
}

export const backward = ({ weight }, x, y, gradient) => transposedProduct(weight, gradient, x.data.length);
