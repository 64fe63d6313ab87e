/** A person's own account: their name, their organisations, sessions and known devices. */
import { Button, Group, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, ifMatch, take } from "../../api/client";
import { Problem } from "../../api/problem";
import { keys } from "../../api/queries";
import { check, useProblems } from "../../parts/forms";
import { tell, tellStale } from "../../parts/notify";
import { Page, Section } from "../../parts/page";
import { useMe } from "../../parts/permissions";
import { words } from "../../words";
import { MyEmail } from "./email";
import { MyEmailCodes } from "./email-codes";
import { MyKnownDevices } from "./known-devices";
import { MyOrganizations } from "./organizations";
import { MyPasskeys } from "./passkeys";
import { MyPassword } from "./password";
import { MyProfile } from "./profile";
import { MyRecoveryAddress } from "./recovery-address";
import { MySecondFactor } from "./second-factor";
import { MySessions } from "./sessions";
import { MyTrustedDevices } from "./trusted-devices";

const said = words.account;

export default function AccountPage() {
  return (
    <Page title={said.title} purpose={said.purpose}>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <Section title={said.profile}>
          <ProfileForm />
        </Section>
        <MyEmail />
      </SimpleGrid>
      <MyPassword />
      <MyPasskeys />
      <MySecondFactor />
      <MyEmailCodes />
      <MyRecoveryAddress />
      <Section title={said.organizations} flush>
        <MyOrganizations />
      </Section>
      <MyProfile />
      <MySessions />
      <MyKnownDevices />
      <MyTrustedDevices />
    </Page>
  );
}

function ProfileForm() {
  const { account } = useMe();
  const client = useQueryClient();
  const form = useForm({
    initialValues: { name: account.name },
    validate: { name: check.required },
  });
  const { setValues, resetDirty } = form;
  // Somebody else's change, or our own saved one, becomes the form's new starting point.
  useEffect(() => {
    setValues({ name: account.name });
    resetDirty({ name: account.name });
  }, [account.name, setValues, resetDirty]);

  const problems = useProblems(form);
  const update = useMutation({
    mutationFn: async ({ name }: typeof form.values) => {
      try {
        const me = await take(
          api.PATCH("/v1/me", {
            body: { name: name.trim() },
            params: { header: { "If-Match": ifMatch(account.version) } },
          }),
        );
        client.setQueryData(keys.me, me);
        tell(words.common.saved);
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== "precondition_failed") throw error;
        tellStale();
        await client.invalidateQueries({ queryKey: keys.me });
      }
    },
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit((values) => problems.wrap(() => update.mutateAsync(values)))}
    >
      <Stack gap="md">
        <TextInput
          label={said.name}
          description={said.nameHint}
          autoComplete="name"
          required
          {...form.getInputProps("name")}
        />
        {problems.alert}
        <Group>
          <Button type="submit" loading={update.isPending} disabled={!form.isDirty()}>
            {words.common.save}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
