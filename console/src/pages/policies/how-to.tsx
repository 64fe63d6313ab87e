/** How to verify what was downloaded: the commands of `policies/VERIFY.md`, for this installation. */
import { ActionIcon, Anchor, Code, CopyButton, Text, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { Whose } from "../../api/policies";
import type { PolicyExport } from "../../api/types";
import { verify } from "../../api/verify.gen";
import { Section } from "../../parts/page";
import { allowed, useMe } from "../../parts/permissions";
import { words } from "../../words";
import classes from "./policies.module.css";

const said = words.policies.evidence;

interface HowToProps {
  whose: Whose;
  policy: PolicyExport | undefined;
}

export function HowTo({ whose, policy }: HowToProps) {
  const me = useMe();
  if (!policy) return null;
  const event = whose === null ? "policy.exported_by_platform" : "policy.exported";
  return (
    <Section title={said.verify} text={said.verifyText}>
      <ol className={classes.steps}>
        <li>
          <Text>{said.stepFiles}</Text>
          <Command text={fetching(whose, policy)} />
        </li>
        <li>
          <Text>{said.stepOpenssl}</Text>
          <Command text={verify.openssl} />
        </li>
        <li>
          <Text>{said.stepJose}</Text>
          <Command text={verify.jose} />
        </li>
        <li>
          <Text>
            {said.stepRecord} {said.stepRecordText}
          </Text>
          {me.organization && allowed(me, "audit_list") ? (
            <Anchor
              renderRoot={(props) => (
                <Link
                  {...props}
                  to="/o/$organization/audit"
                  params={{ organization: me.organization?.slug ?? "" }}
                  search={{ event }}
                />
              )}
              size="sm"
            >
              {said.openRecord}
            </Anchor>
          ) : null}
        </li>
      </ol>
    </Section>
  );
}

/** The commands of the guide, with what their variables are here and the moment that is shown. */
function fetching(whose: Whose, { issuer, as_of }: PolicyExport): string {
  const path = "/v1/organizations/$ORGANIZATION/rbac/policies";
  const asked = `${whose === null ? "/v1/rbac/policies" : path}${as_of ? `?as_of=${as_of}` : ""}`;
  const variables = [`FREEHOLD=${issuer}`, ...(whose === null ? [] : [`ORGANIZATION=${whose}`])];
  return `${variables.join(" ")}\n${verify.fetch.replace(path, () => asked)}`;
}

export function Command({ text }: { text: string }) {
  return (
    <div className={classes.command}>
      <Code block className="machine-text">
        {text}
      </Code>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? words.common.copied : words.common.copy}>
            <ActionIcon
              size="sm"
              variant="subtle"
              color="gray"
              onClick={copy}
              className={classes.copy}
              aria-label={copied ? words.common.copied : said.command(text.split("\n")[0] ?? "")}
            >
              {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </div>
  );
}
