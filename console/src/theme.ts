/**
 * The look: stone neutrals, one pine accent, Inter. Both schemes are chosen, not derived: every
 * text and control colour here keeps 4.5:1 (3:1 for large shapes) on the surfaces it is used on.
 */
import {
  type CSSVariablesResolver,
  createTheme,
  localStorageColorSchemeManager,
  type MantineColorsTuple,
} from "@mantine/core";
import { words } from "./words";

const pine: MantineColorsTuple = [
  "#edf6f1",
  "#d9ebe1",
  "#b5d7c5",
  "#8ec3a8",
  "#6cb08e",
  "#4a9a75",
  "#317f5e",
  "#22684c",
  "#1a543d",
  "#123e2d",
];

const stone: MantineColorsTuple = [
  "#faf9f7",
  "#f4f2ee",
  "#eae7e1",
  "#dcd8d0",
  "#c5c0b6",
  "#9b958a",
  "#6a655d",
  "#4d4943",
  "#33302c",
  "#201e1b",
];

const night: MantineColorsTuple = [
  "#dfe3e0",
  "#c0c6c2",
  "#98a19b",
  "#6e7771",
  "#3a423d",
  "#2e3531",
  "#252b28",
  "#1b201d",
  "#131715",
  "#0c0f0d",
];

/** In place of Mantine's yellow, whose text on its own light ground is too pale to read. */
const amber: MantineColorsTuple = [
  "#fdf7ea",
  "#faeed2",
  "#f3dca8",
  "#ebc777",
  "#e2b15c",
  "#c98f2c",
  "#b0761a",
  "#96590b",
  "#7f4a08",
  "#693c05",
];

/** A calmer red: as loud as it must be, no louder. */
const brick: MantineColorsTuple = [
  "#fdf2f1",
  "#fbe3e1",
  "#f5c4c0",
  "#ee9f99",
  "#e67d75",
  "#da5a51",
  "#c8402f",
  "#b3261e",
  "#97221b",
  "#7a211c",
];

/** A dialog's head is no second banner of the page, which `header` would make it. */
const dialogHeader = { header: { role: "presentation" } };

export const theme = createTheme({
  colors: { pine, gray: stone, dark: night, yellow: amber, red: brick },
  primaryColor: "pine",
  primaryShade: { light: 7, dark: 6 },
  black: "#201e1b",
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
  defaultRadius: "md",
  radius: { xs: "3px", sm: "4px", md: "6px", lg: "10px", xl: "16px" },
  headings: {
    fontWeight: "620",
    sizes: {
      h1: { fontSize: "1.5rem", lineHeight: "1.25" },
      h2: { fontSize: "1.0625rem", lineHeight: "1.35" },
      h3: { fontSize: "0.9375rem", lineHeight: "1.4" },
    },
  },
  respectReducedMotion: true,
  focusRing: "auto",
  cursorType: "pointer",
  components: {
    Text: { defaultProps: { size: "sm" } },
    Badge: { defaultProps: { variant: "light", radius: "sm", tt: "none", fw: 550 } },
    Tooltip: { defaultProps: { withArrow: true, multiline: true, maw: 320, openDelay: 150 } },
    Modal: {
      defaultProps: {
        centered: true,
        radius: "lg",
        closeButtonProps: { "aria-label": words.common.close },
        attributes: dialogHeader,
        overlayProps: { backgroundOpacity: 0.42 },
      },
    },
    Drawer: {
      defaultProps: {
        position: "right",
        size: 460,
        closeButtonProps: { "aria-label": words.common.close },
        attributes: dialogHeader,
        overlayProps: { backgroundOpacity: 0.42 },
      },
    },
    Notification: { defaultProps: { closeButtonProps: { "aria-label": words.common.dismiss } } },
    Menu: { defaultProps: { shadow: "md", position: "bottom-end" } },
  },
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#ffffff",
    "--mantine-color-error": "#b3261e",
    "--mantine-color-placeholder": "#6f6a62",
    "--mantine-color-dimmed": "#645f57",
    "--mantine-color-anchor": "#1f6147",
    "--freehold-canvas": "#faf9f7",
    "--freehold-rail": "#f4f2ee",
    "--freehold-line": "#e6e2db",
    "--freehold-hover": "#f7f5f2",
    "--freehold-accent": "#22684c",
    "--freehold-accent-soft": "#e3f0e9",
    "--freehold-good": "#2c7a58",
    "--freehold-warn": "#96590b",
    "--freehold-bad": "#b3261e",
  },
  dark: {
    "--mantine-color-body": "#1b201d",
    "--mantine-color-error": "#ff9a92",
    "--mantine-color-placeholder": "#949d97",
    "--mantine-color-dimmed": "#a3aca6",
    "--mantine-color-anchor": "#8ec3a8",
    "--freehold-canvas": "#131715",
    "--freehold-rail": "#171b19",
    "--freehold-line": "#2c332f",
    "--freehold-hover": "#212723",
    "--freehold-accent": "#8ec3a8",
    "--freehold-accent-soft": "#22332b",
    "--freehold-good": "#74bd98",
    "--freehold-warn": "#e2b15c",
    "--freehold-bad": "#ff9a92",
  },
});

/** Shared with public/color-scheme.js, which applies the choice before the first paint. */
export const colorSchemeManager = localStorageColorSchemeManager({ key: "freehold.color-scheme" });

/** Nonce of this response's content security policy, for the few styles that are made at run time. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}
