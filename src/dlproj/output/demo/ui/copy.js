// Copying text, also where a page opened from a file has no clipboard.

/** Put text on the clipboard and say in `status` whether that worked. */
export async function copyText(text, status) {
  status.textContent = (await toClipboard(text)) ? "Copied." : "Not copied: the browser does not allow it.";
  setTimeout(() => {
    status.textContent = "";
  }, 4000);
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }
}
