import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import globals from "globals";
import ts from "typescript-eslint";

// Imports flow lib, components → features → app; a feature reaches its own
// files by relative path, so every "@/features" import inside one is a breach.
const closed = (files, ...patterns) => ({
  files,
  rules: {
    "no-restricted-imports": [
      "error",
      { patterns: patterns.map(([group, message]) => ({ group, message })) },
    ],
  },
});
const noApp = [["@/app/*", "**/app/*"], "only main.tsx may import app"];
const noFeatures = [["@/features/*", "**/features/*"], "features never import each other; lib and components import neither"];

export default ts.config(
  { ignores: ["dist", "src/api/schema.d.ts", "e2e/screenshots"] },
  js.configs.recommended,
  ...ts.configs.strict,
  hooks.configs.flat["recommended-latest"] ?? hooks.configs["recommended-latest"],
  a11y.flatConfigs.strict,
  {
    files: ["**/*.{ts,tsx}"],
    languageOptions: { globals: globals.browser },
    rules: {
      "max-lines": ["error", { max: 130 }],
      // Scroll positions come from a virtualiser whose result is not memoisable.
      "react-hooks/incompatible-library": "off",
    },
  },
  { files: ["e2e/**/*.mjs", "*.config.*"], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
  { files: ["public/*.js"], languageOptions: { globals: globals.browser, sourceType: "script" } },
  closed(["src/{lib,components,api}/**"], noApp, noFeatures),
  closed(["src/features/**"], noApp, noFeatures, [["../../*"], "reach only into this feature; shared code is @/lib or @/components"]),
);
