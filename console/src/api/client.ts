/**
 * The one way to the server: the generated client, with the CSRF proof on writes, one renewal of
 * the session after a 401, one question for the password where a call needs a fresh proof of who
 * one is, and every failure thrown as a `Problem`.
 */
import createClient from "openapi-fetch";
import { Problem, problemOf } from "./problem";
import type { paths } from "./schema.gen";
import { csrfToken, renewSession } from "./session";

const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);
const endedCodes = new Set(["unauthenticated", "session_ended"]);

type Listener = () => void;
let whenSignedOut: Listener = () => {};

/** Called when a call needs a session and there is none any more. */
export function onSignedOut(listener: Listener): void {
  whenSignedOut = listener;
}

type Ask = () => Promise<boolean>;
let askForProof: Ask | null = null;
let asking: Promise<boolean> | null = null;

/**
 * Sets who asks the person to prove again who they are. It answers whether they did.
 *
 * @returns takes it back
 */
export function onProofNeeded(ask: Ask): () => void {
  askForProof = ask;
  return () => {
    if (askForProof === ask) askForProof = null;
  };
}

/** Asks the person to prove who they are, without a call that waits for it. */
export function prove(): Promise<boolean> {
  return proven();
}

/** Calls that need a proof at the same time wait for one and the same. */
function proven(): Promise<boolean> {
  asking ??= (askForProof?.() ?? Promise.resolve(false)).finally(() => {
    asking = null;
  });
  return asking;
}

async function send(request: Request): Promise<Response> {
  const outgoing = new Request(request, { credentials: "same-origin" });
  outgoing.headers.set("accept", "application/json");
  if (!safeMethods.has(outgoing.method)) {
    const token = csrfToken();
    if (token) outgoing.headers.set("x-csrf-token", token);
  }
  try {
    return await fetch(outgoing);
  } catch (cause) {
    if (request.signal.aborted) throw cause;
    throw new Problem({ code: "no_answer", status: 0 });
  }
}

/** Sends a request; after a 401 for a missing or ended session renews it and sends once more. */
async function sendWithSession(request: Request): Promise<Response> {
  const again = request.clone();
  const sentAt = Date.now();
  const response = await send(request);
  if (response.status !== 401) return response;
  const problem = await problemOf(response);
  if (!endedCodes.has(problem.code)) return response;
  if (await renewSession(sentAt)) {
    const second = await send(again);
    if (second.status !== 401) return second;
  }
  whenSignedOut();
  return response;
}

/** Sends a request; when it needs a fresh proof, gets one and sends the same request once more. */
async function sendProven(request: Request): Promise<Response> {
  const again = request.clone();
  const response = await sendWithSession(request);
  if (response.status !== 403) return response;
  const { code } = await problemOf(response);
  if (code !== "reauthentication_required" || !askForProof) return response;
  if (!(await proven())) throw new Problem({ code: "cancelled", status: 0 });
  return sendWithSession(again);
}

export const api = createClient<paths>({ baseUrl: window.location.origin, fetch: sendProven });

/** The answer's body; an unsuccessful answer is thrown as a `Problem`. */
export async function take<T>(
  call: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, response, error } = await call;
  if (response.ok) return data as T;
  throw new Problem(
    isDocument(error)
      ? { ...error, status: response.status }
      : { code: `http_${response.status}`, status: response.status, title: response.statusText },
    response.headers,
  );
}

function isDocument(value: unknown): value is ConstructorParameters<typeof Problem>[0] {
  return typeof value === "object" && value !== null && "code" in value;
}

/** Header that makes an update fail when somebody else changed the object since it was read. */
export function ifMatch(version: number): string {
  return `"${version}"`;
}
