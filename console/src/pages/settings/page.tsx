/** Organisation settings: name, short name, and deleting it. */
import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, ifMatch, take } from "../../api/client";
import { Problem } from "../../api/problem";
import { keys, meQuery, organizationQuery } from "../../api/queries";
import type { Organization } from "../../api/types";
import { Confirm } from "../../parts/confirm";
import { CopyId, Field, Fields } from "../../parts/details";
import { check, useProblems } from "../../parts/forms";
import { tell, tellStale } from "../../parts/notify";
import { Page, Section } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { GuardedButton, useOrganization, useWhyNot } from "../../parts/permissions";
import { switching, useEnter } from "../../parts/session";
import { Failed, Forbidden, Loading } from "../../parts/states";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.settings;

export default function SettingsPage() {
  const { id, name } = useOrganization();
  const forbidden = useWhyNot("organizations_get");
  const query = useQuery({ ...organizationQuery(id), enabled: forbidden === null });
  return (
    <Page title={said.title} purpose={said.purpose} place={name}>
      {forbidden ? (
        <Panel>
          <Forbidden reason={forbidden} />
        </Panel>
      ) : null}
      {!forbidden && query.isPending ? <Loading /> : null}
      {query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : null}
      {query.data ? (
        <>
          <General organization={query.data} />
          <Deletion organization={query.data} />
        </>
      ) : null}
    </Page>
  );
}

/** Saves changed fields; another short name means another address for every page. */
function useSave(organization: Organization) {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    ...switching,
    mutationFn: async (body: { name?: string; slug?: string }) => {
      const params = {
        path: { organization_id: organization.id },
        header: { "If-Match": ifMatch(organization.version) },
      };
      const path = "/v1/organizations/{organization_id}" as const;
      try {
        const saved = await take(api.PATCH(path, { body, params }));
        client.setQueryData(organizationQuery(organization.id).queryKey, saved);
        await client.fetchQuery({ ...meQuery, staleTime: 0 });
        if (saved.slug !== organization.slug) {
          await navigate({ to: `/o/${saved.slug}/settings`, replace: true });
        }
        tell(words.common.saved);
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== "precondition_failed") throw error;
        tellStale();
        await client.invalidateQueries({ queryKey: keys.organization(organization.id) });
      }
    },
  });
}

function General({ organization }: { organization: Organization }) {
  const reason = useWhyNot("organizations_update");
  const { name, slug } = organization;
  const form = useForm({
    initialValues: { name, slug },
    validate: { name: check.required, slug: check.required },
  });
  const { setValues, resetDirty } = form;
  useEffect(() => {
    setValues({ name, slug });
    resetDirty({ name, slug });
  }, [name, slug, setValues, resetDirty]);
  const problems = useProblems(form, { slug_taken: "slug" });
  const save = useSave(organization);
  const submit = (values: typeof form.values) =>
    problems.wrap(() =>
      save.mutateAsync({
        name: values.name.trim() === name ? undefined : values.name.trim(),
        slug: values.slug.trim() === slug ? undefined : values.slug.trim(),
      }),
    );
  return (
    <Section title={said.general}>
      <form noValidate onSubmit={form.onSubmit(submit)}>
        <Stack gap="md" maw={520}>
          {reason ? <Text c="dimmed">{reason}</Text> : null}
          <TextInput
            label={said.name}
            description={said.nameHint}
            readOnly={reason !== null}
            required
            {...form.getInputProps("name")}
          />
          <TextInput
            label={said.slug}
            description={said.slugHint}
            readOnly={reason !== null}
            spellCheck={false}
            autoCapitalize="none"
            required
            {...form.getInputProps("slug")}
          />
          {problems.alert}
          {reason ? null : (
            <Group>
              <Button type="submit" loading={save.isPending} disabled={!form.isDirty()}>
                {words.common.save}
              </Button>
            </Group>
          )}
          <Fields>
            <Field name={said.id}>
              <CopyId value={organization.id} label={said.id} />
            </Field>
            <Field name={said.created}>
              <Time value={organization.created_at} />
            </Field>
            <Field name={said.updated}>
              <Time value={organization.updated_at} />
            </Field>
          </Fields>
        </Stack>
      </form>
    </Section>
  );
}

function Deletion({ organization }: { organization: Organization }) {
  const [asking, setAsking] = useState(false);
  const refused = useWhyNot("organizations_delete");
  const reason = organization.kind === "platform" ? said.platformNot : refused;
  const enter = useEnter();
  const remove = useMutation({
    mutationFn: async () => {
      const params = {
        path: { organization_id: organization.id },
        header: { "If-Match": ifMatch(organization.version) },
      };
      await take(api.DELETE("/v1/organizations/{organization_id}", { params }));
      setAsking(false);
      await enter("/");
      tell(said.deleted(organization.name));
    },
  });
  return (
    <Section title={said.danger} text={said.dangerText}>
      <GuardedButton reason={reason} variant="light" color="red" onClick={() => setAsking(true)}>
        {said.delete}
      </GuardedButton>
      <Confirm
        opened={asking}
        onClose={() => setAsking(false)}
        title={said.deleteTitle(organization.name)}
        effects={said.deleteEffects(organization.name)}
        action={said.deleteDo}
        typed={organization.name}
        onConfirm={() => remove.mutate()}
        busy={remove.isPending}
        error={remove.error}
      />
    </Section>
  );
}
