/**
 * Checks a signed document in the browser, as `policies/verify.sh` does: a first look, no proof, because
 * the page comes from where the document comes from.
 */
import type { Signed } from "../../api/policies";

export interface SignatureHeader {
  alg: string;
  kid: string;
  typ: string;
  /** Seconds since 1970. */
  iat: number;
}

export type Verdict = "good" | "bad" | "unable";

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Bytes at a time: a multiple of three, so that the pieces fit together, and few enough for a call. */
const piece = 24_576;

function base64url(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += piece) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + piece)));
  }
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** What a detached JWS (RFC 7515, appendix F) says of itself; null when it is none. */
export function headerOf(signature: string): SignatureHeader | null {
  try {
    const [header = ""] = signature.split(".");
    return JSON.parse(new TextDecoder().decode(bytesOf(header))) as SignatureHeader;
  } catch {
    return null;
  }
}

interface Algorithm {
  key: RsaHashedImportParams | EcKeyImportParams | { name: string };
  verify: EcdsaParams | { name: string };
}

const algorithms: Record<string, Algorithm> = {
  ES256: {
    key: { name: "ECDSA", namedCurve: "P-256" },
    verify: { name: "ECDSA", hash: "SHA-256" },
  },
  RS256: {
    key: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    verify: { name: "RSASSA-PKCS1-v1_5" },
  },
  EdDSA: { key: { name: "Ed25519" }, verify: { name: "Ed25519" } },
};

interface PublicKey extends JsonWebKey {
  kid?: string;
}

/** Whether the signature and the digest are those of the document, by these public keys. */
export async function check(signed: Signed, keys: ArrayBuffer): Promise<Verdict> {
  const header = headerOf(signed.signature);
  if (header?.typ !== "freehold-document") return "bad";
  const set = JSON.parse(new TextDecoder().decode(keys)) as { keys: PublicKey[] };
  const found = set.keys.find(({ kid, alg }) => kid === header.kid && alg === header.alg);
  if (!found) return "bad";
  const algorithm = algorithms[header.alg];
  // Without TLS, or in an old browser, there is nothing to check it with.
  if (!algorithm || !window.crypto?.subtle) return "unable";
  const { subtle } = window.crypto;
  const digest = new Uint8Array(await subtle.digest("SHA-256", signed.bytes));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex !== signed.digest) return "bad";
  const { kty, crv, x, y, n, e } = found;
  try {
    const jwk = Object.fromEntries(
      Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined),
    );
    const key = await subtle.importKey("jwk", jwk, algorithm.key, false, ["verify"]);
    const [protectedHeader = "", , signature = ""] = signed.signature.split(".");
    const input = `${protectedHeader}.${base64url(new Uint8Array(signed.bytes))}`;
    const fits = await subtle.verify(
      algorithm.verify,
      key,
      bytesOf(signature),
      new TextEncoder().encode(input),
    );
    return fits ? "good" : "bad";
  } catch {
    return "unable";
  }
}
