/** A person-readable device from a User-Agent. Only for recognising one's own sessions. */
import { words } from "../words";

// Order matters: Edge and Opera also claim to be Chrome, and Chrome claims to be Safari.
const browsers: [RegExp, string][] = [
  [/\bEdgA?\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/\bHeadlessChrome\//, "Headless Chrome"],
  [/\b(Chrome|CriOS|Chromium)\//, "Chrome"],
  [/\bVersion\/[\d.]+.*\bSafari\//, "Safari"],
];

const systems: [RegExp, string][] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows NT\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bLinux\b/, "Linux"],
];

export function deviceName(userAgent: string | null | undefined): string {
  if (!userAgent) return words.account.unknownDevice;
  const browser = browsers.find(([pattern]) => pattern.test(userAgent))?.[1];
  const system = systems.find(([pattern]) => pattern.test(userAgent))?.[1];
  if (browser && system) return words.account.on(browser, system);
  if (browser ?? system) return browser ?? system ?? words.account.unknownDevice;
  // Programs name themselves first: "curl/8.5.0", "python-requests/2.31".
  const program = /^[A-Za-z][\w.-]*/.exec(userAgent)?.[0];
  return program ?? words.account.programDevice;
}

export function isHandheld(userAgent: string | null | undefined): boolean {
  return /\b(iPhone|iPad|Android)\b/.test(userAgent ?? "");
}
