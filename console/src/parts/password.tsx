/** A new password's field, with what it still needs. The server decides; this saves a round trip. */
import { Group, PasswordInput, type PasswordInputProps, Text, VisuallyHidden } from "@mantine/core";
import { IconCheck, IconPoint } from "@tabler/icons-react";
import { useId } from "react";
import { words } from "../words";
import classes from "./password.module.css";

const said = words.gate.password;

interface Person {
  name?: string;
  email?: string;
  /** The fewest characters that the settings ask for. */
  minimum?: number;
}

/** The fewest characters where the server has not said yet how many; it has the last word. */
const usual = 12;

/** The needs and whether the password meets them, in the order shown. */
export function passwordNeeds(password: string, person: Person): { text: string; met: boolean }[] {
  const length = [...password].length;
  const least = person.minimum ?? usual;
  const needs = [
    {
      text: length > 256 ? said.tooLong : said.length(least),
      met: length >= least && length <= 256,
    },
    { text: said.lower, met: /\p{Ll}/u.test(password) },
    { text: said.upper, met: /\p{Lu}/u.test(password) },
    { text: said.digit, met: /\p{Nd}/u.test(password) },
    { text: said.special, met: /[^\p{L}\p{Nd}\s]/u.test(password) },
  ];
  return [...needs, { text: said.personal, met: password !== "" && !personal(password, person) }];
}

export function passwordComplete(password: string, person: Person): boolean {
  return passwordNeeds(password, person).every((need) => need.met);
}

function personal(password: string, { name = "", email = "" }: Person): boolean {
  const text = password.toLowerCase();
  const parts = [email, email.split("@")[0] ?? "", ...name.split(/\s+/)];
  return parts.some((part) => part.trim().length >= 4 && text.includes(part.trim().toLowerCase()));
}

interface NewPasswordProps extends PasswordInputProps {
  person: Person;
  /** The password as it is now. */
  current: string;
}

export function NewPassword({ person, current, ...props }: NewPasswordProps) {
  const id = useId();
  return (
    <div>
      <PasswordInput
        autoComplete="new-password"
        maxLength={300}
        visibilityToggleButtonProps={{ "aria-label": said.show }}
        aria-describedby={id}
        required
        {...props}
      />
      <div id={id} className={classes.needs}>
        <VisuallyHidden>{said.needs}</VisuallyHidden>
        <ul>
          {passwordNeeds(current, person).map((need) => (
            <Group
              key={need.text}
              component="li"
              gap={6}
              wrap="nowrap"
              data-met={need.met || undefined}
            >
              {need.met ? <IconCheck size={13} stroke={2.4} /> : <IconPoint size={13} />}
              <Text size="xs">{need.text}</Text>
              <VisuallyHidden>{need.met ? said.met : said.unmet}</VisuallyHidden>
            </Group>
          ))}
        </ul>
      </div>
    </div>
  );
}

/** The field for a password that exists already. */
export function CurrentPassword(props: PasswordInputProps) {
  return (
    <PasswordInput
      autoComplete="current-password"
      visibilityToggleButtonProps={{ "aria-label": said.show }}
      required
      {...props}
    />
  );
}
