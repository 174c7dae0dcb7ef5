/** Looks shared by chips, menus and popovers. */
export const chipLook =
  "inline-flex h-6 max-w-56 shrink-0 items-center gap-1 truncate rounded-full border border-line bg-raised px-2.5 text-sm text-muted transition-colors duration-100 hover:bg-hover max-sm:h-8 max-sm:px-3";
/** A chip that narrows something at present. */
export const chosenChipLook = "border-glow! text-ember!";
export const popupLook =
  "appear max-h-[60vh] max-w-[calc(100vw-1rem)] min-w-44 overflow-y-auto rounded border border-line bg-raised p-1 shadow-lift outline-none";
export const rowLook =
  "flex min-h-8 w-full cursor-pointer items-center gap-1.5 rounded px-2 text-left outline-none select-none data-highlighted:bg-hover data-disabled:cursor-default data-disabled:text-faint max-sm:min-h-11";
/** A link within a text: told from it without colour. */
export const linkLook = "text-ember underline decoration-ember/40 underline-offset-2 hover:decoration-current";
