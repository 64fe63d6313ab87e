/** Having a code sent by e-mail, and another once some time has passed. */
import { Anchor, Button, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type SendPlace, sendCode } from "../api/email-codes";
import { Problem } from "../api/problem";
import { words } from "../words";
import { ProblemAlert } from "./confirm";
import { useSecondsLeft } from "./time";

const said = words.emailCodes;

export function SendCode({ place }: { place: SendPlace }) {
  const send = useMutation({ mutationFn: () => sendCode(place) });
  const refused = send.error instanceof Problem ? send.error : null;
  const until = refused?.retryAfter ? send.submittedAt + refused.retryAfter * 1000 : null;
  const left = useSecondsLeft(send.data ? Date.parse(send.data.again_at) : until);
  const throttled = refused?.code === "too_many_requests";
  if (!send.data) {
    return (
      <Stack gap={6} align="flex-start">
        <Button
          variant="default"
          loading={send.isPending}
          disabled={left > 0}
          onClick={() => send.mutate()}
        >
          {said.send}
        </Button>
        <Text size="sm" c="dimmed">
          {said.sendText}
        </Text>
        {throttled ? (
          <Text size="sm" role="alert">
            {said.throttled} {left > 0 ? said.againIn(left) : null}
          </Text>
        ) : null}
        {send.error && !throttled ? <ProblemAlert error={send.error} /> : null}
      </Stack>
    );
  }
  return (
    <Text size="sm" c="dimmed" component="div" role="status">
      {said.sentTitle}.{" "}
      {left > 0 ? (
        said.againIn(left)
      ) : (
        <Anchor component="button" type="button" size="sm" onClick={() => send.mutate()}>
          {said.again}
        </Anchor>
      )}
    </Text>
  );
}
