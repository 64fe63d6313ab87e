/** The dialogs that add a rule of the organisation's own and change one. */
import { Button, Group, Modal, NumberInput, Radio, Select, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, ifMatch, take } from "../../api/client";
import { eventTypesQuery } from "../../api/event-types";
import { useIdempotent } from "../../api/idempotency";
import { Problem } from "../../api/problem";
import { keys } from "../../api/queries";
import type { components } from "../../api/schema.gen";
import type { AlertRule, Severity } from "../../api/types";
import { choicesOf } from "../../parts/filters";
import { check, useProblems } from "../../parts/forms";
import { tell, tellStale } from "../../parts/notify";
import { useOrganization } from "../../parts/permissions";
import { words } from "../../words";

const said = words.alerts;

type NewRule = components["schemas"]["CreateAlertRule"];

interface Values {
  name: string;
  kind: string;
  event: string;
  at_least: string;
  count: number;
  window_minutes: number;
  by: string;
  severity: string;
}

const fresh: Values = {
  name: "",
  kind: "event",
  event: "",
  at_least: "high",
  count: 5,
  window_minutes: 60,
  by: "organization",
  severity: "high",
};

/** The body that these values are: of event and severity one. */
function bodyOf(values: Values): NewRule {
  const waits =
    values.kind === "event" ? { event: values.event } : { at_least: values.at_least as Severity };
  return {
    name: values.name.trim(),
    ...waits,
    count: values.count,
    window_minutes: values.window_minutes,
    by: values.by as NewRule["by"],
    severity: values.severity as Severity,
  };
}

export function CreateRuleDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title={<strong>{said.createTitle}</strong>} size={560}>
      <CreateForm onClose={onClose} />
    </Modal>
  );
}

function CreateForm({ onClose }: { onClose: () => void }) {
  const organization = useOrganization();
  const client = useQueryClient();
  const idempotent = useIdempotent();
  const create = useMutation({
    mutationFn: async (values: Values) => {
      const body = bodyOf(values);
      return await idempotent(body, (key) =>
        take(
          api.POST("/v1/organizations/{organization_id}/alert-rules", {
            body,
            params: {
              path: { organization_id: organization.id },
              header: { "Idempotency-Key": key },
            },
          }),
        ),
      );
    },
    onSuccess: ({ name }) => {
      tell(said.created(name));
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.alerts(organization.id) }),
  });
  return (
    <RuleForm
      initial={fresh}
      action={said.create}
      busy={create.isPending}
      onSubmit={(values) => create.mutateAsync(values)}
      onClose={onClose}
    />
  );
}

export function EditRuleDialog({ rule, onClose }: { rule: AlertRule; onClose: () => void }) {
  const organization = useOrganization();
  const client = useQueryClient();
  const update = useMutation({
    mutationFn: (values: Values) =>
      take(
        api.PATCH("/v1/organizations/{organization_id}/alert-rules/{alert_rule_id}", {
          body: bodyOf(values),
          params: {
            path: { organization_id: organization.id, alert_rule_id: rule.id },
            header: { "If-Match": ifMatch(rule.version) },
          },
        }),
      ),
    onSuccess: ({ name }) => {
      tell(said.saved(name));
      onClose();
    },
    onError: (error) => {
      if (!(error instanceof Problem) || error.code !== "precondition_failed") return;
      tellStale();
      onClose();
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.alerts(organization.id) }),
  });
  return (
    <Modal opened onClose={onClose} title={<strong>{said.editTitle(rule.name)}</strong>} size={560}>
      <RuleForm
        initial={{
          name: rule.name,
          kind: rule.event ? "event" : "severity",
          event: rule.event ?? "",
          at_least: rule.at_least ?? "high",
          count: rule.count,
          window_minutes: rule.window_minutes,
          by: rule.by,
          severity: rule.severity,
        }}
        action={words.common.save}
        busy={update.isPending}
        onSubmit={(values) => update.mutateAsync(values)}
        onClose={onClose}
      />
    </Modal>
  );
}

interface RuleFormProps {
  initial: Values;
  action: string;
  busy: boolean;
  onSubmit: (values: Values) => Promise<unknown>;
  onClose: () => void;
}

function RuleForm({ initial, action, busy, onSubmit, onClose }: RuleFormProps) {
  const types = useQuery(eventTypesQuery(useOrganization().id)).data ?? [];
  const form = useForm<Values & Record<string, unknown>>({
    initialValues: { ...initial },
    validate: {
      name: check.required,
      event: (value, { kind }) => (kind === "event" ? check.required(value) : null),
    },
  });
  const problems = useProblems(form, { alert_rule_name_taken: "name" });
  const submit = async (values: Values) => {
    await onSubmit(values);
  };
  // What happens to alerts no rule waits for.
  const events = types
    .filter(({ code }) => !code.startsWith("alert.") && !code.startsWith("alert_rule."))
    .filter(({ retired }) => !retired)
    .map(({ code, title }) => ({ value: code, label: `${title} (${code})` }));
  return (
    <form noValidate onSubmit={form.onSubmit((values) => problems.wrap(() => submit(values)))}>
      <Stack gap="md">
        <TextInput
          label={said.name}
          description={said.nameHint}
          autoComplete="off"
          maxLength={100}
          required
          data-autofocus
          {...form.getInputProps("name")}
        />
        <Radio.Group label={said.kind} {...form.getInputProps("kind")}>
          <Group gap="lg" mt={6}>
            <Radio value="event" label={said.kinds.event} />
            <Radio value="severity" label={said.kinds.severity} />
          </Group>
        </Radio.Group>
        {form.values.kind === "event" ? (
          <Select
            label={said.event}
            data={events}
            searchable
            required
            nothingFoundMessage={words.shell.findNothing}
            {...form.getInputProps("event")}
          />
        ) : (
          <Select
            label={said.atLeast}
            data={choicesOf(words.audit.severities)}
            allowDeselect={false}
            {...form.getInputProps("at_least")}
          />
        )}
        <Group grow align="flex-end">
          <NumberInput
            label={said.number}
            min={1}
            max={100_000}
            allowDecimal={false}
            {...form.getInputProps("count")}
          />
          <NumberInput
            label={said.window}
            description={said.windowHint}
            min={1}
            max={1_440}
            allowDecimal={false}
            {...form.getInputProps("window_minutes")}
          />
        </Group>
        <Select
          label={said.group}
          data={choicesOf(said.groups)}
          allowDeselect={false}
          {...form.getInputProps("by")}
        />
        <Select
          label={said.alertSeverity}
          data={choicesOf(words.audit.severities)}
          allowDeselect={false}
          {...form.getInputProps("severity")}
        />
        {problems.alert}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            {words.common.cancel}
          </Button>
          <Button type="submit" loading={busy}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
