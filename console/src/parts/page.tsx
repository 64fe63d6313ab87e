/** The frame of a page: title, one line of purpose, one primary action, the document's title. */
import { Box, Group, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";
import { words } from "../words";
import classes from "./page.module.css";

interface PageProps {
  title: string;
  purpose?: string;
  /** Where the page is, for the document's title: the organisation's name. */
  place?: string;
  action?: ReactNode;
  children: ReactNode;
}

export function Page({ title, purpose, place, action, children }: PageProps) {
  useDocumentTitle([title, place, words.product].filter(Boolean).join(" · "));
  return (
    <Stack gap="lg">
      <Group justify="space-between" align="flex-start" gap="md">
        <Box className={classes.heading}>
          <Title order={1}>{title}</Title>
          {purpose ? (
            <Text c="dimmed" mt={4}>
              {purpose}
            </Text>
          ) : null}
        </Box>
        {action}
      </Group>
      {children}
    </Stack>
  );
}

interface SectionProps {
  title: string;
  text?: string;
  action?: ReactNode;
  children: ReactNode;
  /** Without inner padding, for tables. */
  flush?: boolean;
}

/** A titled box on a page. */
export function Section({ title, text, action, children, flush }: SectionProps) {
  return (
    <section className={classes.section}>
      <Group justify="space-between" gap="sm" className={classes.sectionHead}>
        <div>
          <Title order={2}>{title}</Title>
          {text ? (
            <Text c="dimmed" size="sm">
              {text}
            </Text>
          ) : null}
        </div>
        {action}
      </Group>
      <div className={flush ? undefined : classes.sectionBody}>{children}</div>
    </section>
  );
}
