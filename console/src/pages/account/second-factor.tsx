/** A person's own second factor: setting it up, its backup codes, removing it. */
import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, take } from "../../api/client";
import { keys } from "../../api/queries";
import { secondFactorsQuery } from "../../api/second-factors";
import type { OwnSecondFactors } from "../../api/types";
import { Confirm } from "../../parts/confirm";
import { Field, Fields } from "../../parts/details";
import { BackupCodes, Enrolment } from "../../parts/enrolment";
import { tell } from "../../parts/notify";
import { Section } from "../../parts/page";
import { Failed, Loading } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.secondFactor;
/** From here on down new codes are worth a thought. */
const few = 3;

export function MySecondFactor() {
  const own = useQuery(secondFactorsQuery);
  const client = useQueryClient();
  // The page stays at the codes until they are kept, though there is a factor by then.
  const [settingUp, setSettingUp] = useState(false);
  const done = async () => {
    setSettingUp(false);
    await client.invalidateQueries({ queryKey: keys.me });
  };
  return (
    <Section title={said.title} text={said.text}>
      {own.isPending ? <Loading rows={2} /> : null}
      {own.isError ? <Failed error={own.error} retry={() => void own.refetch()} /> : null}
      {own.data && (settingUp || !own.data.totp_since) ? (
        <Stack gap="md" onClickCapture={() => setSettingUp(true)}>
          {settingUp || own.data.passkeys > 0 || own.data.email_codes_since ? null : (
            <Alert color="yellow" variant="light" title={said.offTitle}>
              {said.offText}
            </Alert>
          )}
          <Enrolment onDone={() => void done()} />
        </Stack>
      ) : null}
      {own.data && (own.data.totp_since || own.data.passkeys > 0) && !settingUp ? (
        <Present own={own.data} />
      ) : null}
    </Section>
  );
}

function Present({ own }: { own: OwnSecondFactors }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState<"remove" | "renew" | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const settled = () => client.invalidateQueries({ queryKey: keys.me });
  const remove = useMutation({
    mutationFn: () => take(api.DELETE("/v1/me/second-factors/totp")),
    onSuccess: () => {
      tell(said.removed);
      setAsking(null);
    },
    onSettled: settled,
  });
  const renew = useMutation({
    mutationFn: () => take(api.POST("/v1/me/second-factors/backup-codes")),
    onSuccess: (made) => {
      setAsking(null);
      setCodes(made.codes);
    },
    onSettled: settled,
  });
  return (
    <Stack gap="md">
      <Fields>
        {own.totp_since ? (
          <Field name={said.on}>
            {said.since} <Time value={own.totp_since} form="date" />
          </Field>
        ) : null}
        <Field name={said.codes}>{said.codesLeft(own.backup_codes_left)}</Field>
      </Fields>
      {own.backup_codes_left <= few ? (
        <Text size="sm" c="dimmed">
          {said.codesFew}
        </Text>
      ) : null}
      <Group gap="xs">
        <Button variant="default" onClick={() => setAsking("renew")}>
          {said.renew}
        </Button>
        {own.totp_since ? (
          <Button variant="light" color="red" onClick={() => setAsking("remove")}>
            {said.remove}
          </Button>
        ) : null}
      </Group>
      {asking ? (
        <Confirm
          opened
          onClose={() => setAsking(null)}
          title={asking === "remove" ? said.removeTitle : said.renewTitle}
          effects={asking === "remove" ? said.removeEffects : said.renewEffects}
          action={asking === "remove" ? said.remove : said.renew}
          onConfirm={() => (asking === "remove" ? remove : renew).mutate()}
          busy={remove.isPending || renew.isPending}
          error={asking === "remove" ? remove.error : renew.error}
        />
      ) : null}
      <Modal
        opened={codes !== null}
        onClose={() => setCodes(null)}
        title={<strong>{said.codes}</strong>}
        closeButtonProps={{ "aria-label": words.common.close }}
        size={480}
      >
        {codes ? <BackupCodes codes={codes} onDone={() => setCodes(null)} /> : null}
      </Modal>
    </Stack>
  );
}
