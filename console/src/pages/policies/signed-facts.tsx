/** What identifies a signed document: its digest, when and by which key it was signed, whether that fits. */
import { useQuery } from "@tanstack/react-query";
import { type Signed, signatureKeysQuery } from "../../api/policies";
import { Status, type Tone } from "../../parts/badges";
import { CopyId } from "../../parts/details";
import { Time } from "../../parts/time";
import { words } from "../../words";
import classes from "./policies.module.css";
import { check, headerOf, type Verdict } from "./signature";

const said = words.policies.evidence;
const tones: Record<Verdict, Tone> = { good: "good", bad: "bad", unable: "quiet" };

/** Bytes in the units of a file list. */
const size = new Intl.NumberFormat(undefined, {
  style: "unit",
  unit: "kilobyte",
  maximumFractionDigits: 0,
});

export function SignedFacts({ signed }: { signed: Signed }) {
  const header = headerOf(signed.signature);
  const keys = useQuery(signatureKeysQuery);
  const verdict = useQuery({
    queryKey: ["signature-check", signed.digest, signed.signature, keys.dataUpdatedAt],
    queryFn: () => (keys.data ? check(signed, keys.data) : "unable"),
    enabled: keys.data !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <dl className={classes.signed}>
      <div>
        <dt>{said.digest}</dt>
        <dd>
          <CopyId value={signed.digest} label={said.digest} />
        </dd>
      </div>
      <div>
        <dt>{said.signedAt}</dt>
        <dd>
          <Time
            value={header ? new Date(header.iat * 1_000).toISOString() : undefined}
            form="exact"
          />
        </dd>
      </div>
      <div>
        <dt>{said.key}</dt>
        <dd>{header ? <CopyId value={header.kid} label={said.key} /> : words.common.none}</dd>
      </div>
      <div>
        <dt>{said.size}</dt>
        <dd>{size.format(signed.bytes.byteLength / 1_000)}</dd>
      </div>
      <div>
        <dt>{said.check}</dt>
        <dd>
          {verdict.data ? (
            <Status tone={tones[verdict.data]}>{said.checks[verdict.data]}</Status>
          ) : (
            said.checks[keys.isError ? "unable" : "checking"]
          )}
        </dd>
      </div>
    </dl>
  );
}
