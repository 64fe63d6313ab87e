/**
 * What went wrong with a call, in one shape for pages and forms: the server's problem document
 * (RFC 9457), or "no answer" when there was none.
 */
import type { ProblemDocument } from "./types";

export interface FieldFault {
  /** Dotted path into the request body ("invitations.0.email"), or null for query, path, header. */
  readonly field: string | null;
  readonly code: string;
  readonly detail: string;
}

export class Problem extends Error {
  readonly code: string;
  /** HTTP status, or 0 when the server gave no answer. */
  readonly status: number;
  readonly title: string;
  readonly detail: string | null;
  readonly requestId: string | null;
  readonly faults: readonly FieldFault[];
  /** With `only_owner`: the organisations that need another owner first. */
  readonly organizations: readonly string[];
  /** Seconds to wait before trying again, when the server said so. */
  readonly retryAfter: number | null;

  constructor(document: Partial<ProblemDocument>, headers?: Headers) {
    super(document.detail ?? document.title ?? document.code ?? "problem");
    this.name = "Problem";
    this.code = document.code ?? "no_answer";
    this.status = document.status ?? 0;
    this.title = document.title ?? "";
    this.detail = document.detail ?? null;
    this.requestId = document.request_id ?? headers?.get("x-request-id") ?? null;
    this.organizations = document.organization_ids ?? [];
    this.retryAfter = secondsOf(headers?.get("retry-after"));
    this.faults = (document.errors ?? []).map((error) => ({
      field: error.pointer ? fieldOf(error.pointer) : null,
      code: error.code,
      detail: error.detail,
    }));
  }

  /** Whether the same request may succeed later without the person changing anything. */
  get transient(): boolean {
    return !this.quiet && (this.status === 0 || this.status >= 500);
  }

  /** Whether the person gave it up themselves, so that there is nothing to tell them. */
  get quiet(): boolean {
    return this.code === "cancelled";
  }
}

/** The problem that an unsuccessful response carries, also when a proxy answered in our place. */
export async function problemOf(response: Response): Promise<Problem> {
  const type = response.headers.get("content-type") ?? "";
  if (type.includes("json")) {
    try {
      const body = (await response.clone().json()) as Partial<ProblemDocument>;
      return new Problem({ ...body, status: body.status ?? response.status }, response.headers);
    } catch {
      // Not a document after all; the status still says enough.
    }
  }
  return new Problem(
    { code: `http_${response.status}`, status: response.status, title: response.statusText },
    response.headers,
  );
}

/** JSON pointer (RFC 6901) to the dotted path that the form library uses. */
function fieldOf(pointer: string): string {
  return pointer
    .replace(/^\//, "")
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .join(".");
}

function secondsOf(header: string | null | undefined): number | null {
  const seconds = Number.parseInt(header ?? "", 10);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}
