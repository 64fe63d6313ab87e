/** Short messages after an act. They land in a live region, so screen readers say them. */
import { notifications } from "@mantine/notifications";
import { Problem } from "../api/problem";
import { words } from "../words";
import { explain } from "./states";

export function tell(message: string): void {
  notifications.show({ message, color: "pine", withBorder: true });
}

export function tellFault(title: string, message: string): void {
  notifications.show({ title, message, color: "red", withBorder: true, autoClose: 8000 });
}

export function tellProblem(error: unknown): void {
  if (error instanceof Problem && error.quiet) return;
  const { title, text } = explain(error);
  tellFault(title, text);
}

export function tellStale(): void {
  notifications.show({
    title: words.common.changedElsewhereTitle,
    message: words.common.changedElsewhere,
    color: "yellow",
    withBorder: true,
    autoClose: 8000,
  });
}
