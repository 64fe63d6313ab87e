/** Pages for what is not there and for what broke. */
import { Button, Container, Stack } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { IconCompass, IconMoodSad } from "@tabler/icons-react";
import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { Problem } from "../api/problem";
import { words } from "../words";
import { Empty, Failed, RequestId } from "./states";

export function NotFound() {
  useDocumentTitle(`${words.problems.notFoundTitle} · ${words.product}`);
  return (
    <Container size="sm" py="xl">
      <Empty
        order={1}
        icon={<IconCompass size={22} stroke={1.6} />}
        title={words.problems.notFoundTitle}
        text={words.problems.notFoundText}
        action={
          <Button component={Link} to="/" variant="default">
            {words.problems.home}
          </Button>
        }
      />
    </Container>
  );
}

/** What a page shows when it could not be made: a refused call, or an error of the console. */
export function Broken({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  useDocumentTitle(`${words.problems.crashTitle} · ${words.product}`);
  if (error instanceof Problem) {
    const retry = () => {
      reset();
      void router.invalidate();
    };
    return (
      <Container size="sm" py="xl">
        <Failed error={error} retry={retry} />
      </Container>
    );
  }
  return (
    <Container size="sm" py="xl">
      <Empty
        order={1}
        icon={<IconMoodSad size={22} stroke={1.6} />}
        title={words.problems.crashTitle}
        text={words.problems.crashText}
        action={
          <Stack align="center" gap="xs">
            <Button variant="default" onClick={() => window.location.reload()}>
              {words.problems.reload}
            </Button>
            <RequestId error={error} />
          </Stack>
        }
      />
    </Container>
  );
}
