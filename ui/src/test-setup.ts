import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

configure({ asyncUtilTimeout: 8_000 });

// jsdom lays nothing out; lists need a viewport and rows of some height.
Object.defineProperties(HTMLElement.prototype, {
  clientWidth: { get: () => 800 },
  clientHeight: { get: () => 600 },
  offsetHeight: { get: () => 40 },
  scrollIntoView: { value: () => {} },
});
Object.assign(window, {
  PointerEvent: MouseEvent,
  scrollTo: () => {},
  matchMedia: (query: string) => ({ matches: true, media: query, addEventListener: () => {}, removeEventListener: () => {} }),
  ResizeObserver: class {
    observe() {}
    unobserve() {}
    disconnect() {}
  },
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  localStorage.clear();
  document.cookie = "hearth_csrf=; max-age=0";
});
