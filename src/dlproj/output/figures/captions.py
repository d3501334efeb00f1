"""What each figure shows, for those who cannot see it and those who want to be told."""

CAPTIONS = {
    "confidence": "Test images of each digit, placed by the probability that the network gives to "
    "their true label; framed green where it is right, and red, with what it read, where wrong.",
    "confusion_matrix": "How often each class (rows) is taken for each (columns).",
    "mistakes": "The mistakes that the network is surest of, with true and predicted label.",
    "first_layer": "The filters of the first layer, and below each what it answers to a test "
    "image: red where it is positive, blue where negative. Edges answer most.",
    "training_curve": "Loss and score over the training.",
    "fit": "The points, the fitted curve, and its error along x.",
    "accuracy_by_length": "Accuracy against the number of letters of a word.",
    "reliability": "How often words are in the language that is named, against the confidence; on "
    "the line, confidence is what it says. Larger dots are more occurrences.",
    "accuracy_by_epsilon": "Accuracy against the largest change of a pixel.",
    "gallery": "Images before and after the attack, with the change between them, and what the "
    "network reads in each.",
    "spectra": "Fourier energy by frequency: of digits, perturbations and random noise.",
    "filters": "Accuracy of clean and of adversarial images, when only frequencies below or above "
    "a limit are kept.",
    "transfer": "How often images made to fool one network (rows) fool another (columns).",
    "margins": "By how much the true class leads: clean, with random noise, and attacked.",
    "distances": "How many images lie at which distance from being misread, as the attack that ran "
    "finds it; half of all lie left of the line.",
    "sweep": "What each setting scored on validation data; each dot is one training.",
    "accuracy_by_rate": "Accuracy with and without BatchNorm against the learning rate; each "
    "dot is one training.",
    "loss_curves": "Training loss with and without BatchNorm at each learning rate.",
    "layers": "Drift of layer inputs, dead units and gradient norms, layer by layer over the "
    "training, with and without BatchNorm.",
    "landscape": "How loss and gradient change along the gradient, with and without BatchNorm.",
    "rates": "Accuracy after a short training over a wide range of learning rates.",
}
