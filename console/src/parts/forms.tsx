/**
 * From a problem document to a form: what has a pointer to a field lands on that field, the rest
 * in an alert above the button.
 */
import type { UseFormReturnType } from "@mantine/form";
import { useState } from "react";
import { Problem } from "../api/problem";
import { words } from "../words";
import { ProblemAlert } from "./confirm";
import { explain } from "./states";

/** Puts the faults on the form's fields and returns whether every one found a place. */
function placeFaults<V extends Record<string, unknown>>(
  form: UseFormReturnType<V>,
  problem: Problem,
) {
  const placed: Record<string, string> = {};
  let homeless = problem.faults.length === 0;
  for (const { field, detail } of problem.faults) {
    const root = field?.split(".")[0] ?? "";
    if (field && root in form.getValues()) {
      // A fault inside a list ("/invitations/3/email") belongs to the field that holds the list.
      placed[root] = placed[root] ? `${placed[root]} ${sentence(detail)}` : sentence(detail);
    } else homeless = true;
  }
  if (Object.keys(placed).length > 0) {
    form.setErrors(placed);
    const first = Object.keys(placed)[0];
    if (first) queueMicrotask(() => form.getInputNode(first)?.focus());
  }
  return !homeless;
}

/** The server writes faults without capital or stop ("must be …"). */
function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

/**
 * Shows what a submit was refused for. `wrap` runs it; `alert` stands above the button.
 *
 * @param fields the field that a problem without pointers is about, by code ("slug_taken")
 */
export function useProblems<V extends Record<string, unknown>>(
  form: UseFormReturnType<V>,
  fields: Record<string, string> = {},
) {
  const [homeless, setHomeless] = useState<unknown>(null);

  async function wrap(run: () => Promise<void>): Promise<void> {
    setHomeless(null);
    try {
      await run();
    } catch (error) {
      const field = error instanceof Problem ? fields[error.code] : undefined;
      if (field) {
        form.setErrors({ [field]: explain(error).text });
        form.getInputNode(field)?.focus();
        return;
      }
      if (error instanceof Problem && placeFaults(form, error)) return;
      setHomeless(error);
    }
  }

  const unplaced =
    homeless instanceof Problem
      ? homeless.faults
          .filter(({ field }) => !field || !(field in form.getValues()))
          .map(({ field, detail }) => sentence(field ? `${field}: ${detail}` : detail))
          .join(" ")
      : "";
  const alert = homeless ? <ProblemAlert error={homeless} detail={unplaced || undefined} /> : null;
  return { wrap, alert, problem: homeless };
}

/** Field checks before anything is sent; the server checks again. */
export const check = {
  required: (value: string) => (value.trim() ? null : words.gate.signIn.required),
  email: (value: string) => {
    if (!value.trim()) return words.gate.signIn.required;
    return isEmail(value) ? null : words.gate.signIn.notEmail;
  },
  noLink: (value: string) => (hasLink(value) ? words.common.noLink : null),
};

/** Whether a mail program would make a link of a part of the text, as the server asks it. */
function hasLink(value: string): boolean {
  const text = value.toLowerCase();
  if (text.includes("://") || text.includes("www.")) return true;
  const parts = text.split(/[^\p{L}\p{N}._@-]+/u).map((part) => part.replace(/^\.+|\.+$/g, ""));
  return parts.some((part) => /^([^.@]+\.)+(\p{L}{2,}|xn--[^.@]+)$/u.test(part));
}

export function isEmail(value: string): boolean {
  return /^[^\s@<>(),;:"[\]\\]+@[^\s@<>(),;:"[\]\\]+\.[^\s@<>(),;:"[\]\\.]{2,}$/.test(value.trim());
}
