/** E-mail addresses out of pasted text. */
import { isEmail } from "../../parts/forms";

/** Addresses that one bulk call may carry. */
export const mostAddresses = 200;

export interface Addresses {
  /** Each once, in the order given. */
  good: string[];
  /** What was not an address, as it was typed. */
  bad: string[];
}

/** Splits at line ends, commas and semicolons; takes the address out of "Name <address>". */
export function addressesIn(text: string): Addresses {
  const good = new Map<string, string>();
  const bad: string[] = [];
  for (const piece of text.split(/[\n,;]+/)) {
    const entry = piece.trim();
    if (!entry) continue;
    const address = /<([^<>]+)>\s*$/.exec(entry)?.[1]?.trim() ?? entry;
    if (!isEmail(address)) bad.push(entry);
    else if (!good.has(address.toLowerCase())) good.set(address.toLowerCase(), address);
  }
  return { good: [...good.values()], bad };
}
