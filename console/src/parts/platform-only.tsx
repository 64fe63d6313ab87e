/** Platform pages work from the platform's own organisation: what is shown from anywhere else. */
import { Button } from "@mantine/core";
import { words } from "../words";
import { Panel } from "./panel";
import { useMe } from "./permissions";
import { useSwitchOrganization } from "./session";
import { Forbidden } from "./states";

export function PlatformForbidden({ back }: { back: string }) {
  const me = useMe();
  const change = useSwitchOrganization();
  const platform = me.organizations.find(
    ({ kind, role }) => kind === "platform" && role === "platform_admin",
  );
  const elsewhere = platform && platform.id !== me.organization?.id;
  return (
    <Panel>
      <Forbidden
        reason={elsewhere ? words.platform.switchText : words.problems.forbiddenPlatform}
        action={
          elsewhere ? (
            <Button
              loading={change.isPending}
              onClick={() => change.mutate({ id: platform.id, to: back })}
            >
              {words.shell.switchToOne(platform.name)}
            </Button>
          ) : null
        }
      />
    </Panel>
  );
}
