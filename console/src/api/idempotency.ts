/**
 * Keys that make a creating call safe to repeat. When no answer came, the person presses the
 * button again and the same key goes out, so nothing is created twice; after any real answer the
 * next call is a new one.
 */
import { useRef } from "react";
import { Problem } from "./problem";

interface Attempt {
  readonly body: string;
  readonly key: string;
}

/** Runs creating calls, giving each the idempotency key it needs. */
export function useIdempotent() {
  const unanswered = useRef<Attempt | null>(null);

  return async function run<T>(body: unknown, call: (key: string) => Promise<T>): Promise<T> {
    const text = JSON.stringify(body);
    const same = unanswered.current?.body === text ? unanswered.current : null;
    const attempt = same ?? { body: text, key: crypto.randomUUID() };
    unanswered.current = attempt;
    try {
      const answer = await call(attempt.key);
      unanswered.current = null;
      return answer;
    } catch (error) {
      const noAnswer = error instanceof Problem && error.transient;
      if (!noAnswer) unanswered.current = null;
      throw error;
    }
  };
}
