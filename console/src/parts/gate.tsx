/** The frame of the pages before sign-in: one panel, with the mark above it. */
import { Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";
import { words } from "../words";
import classes from "./gate.module.css";
import { Mark } from "./mark";

interface GateProps {
  title: string;
  text?: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
}

export function Gate({ title, text, children, footer }: GateProps) {
  useDocumentTitle(`${title} · ${words.product}`);
  return (
    <div className={classes.gate}>
      <header className={classes.brand}>
        <Mark size={40} />
        <span className={classes.name}>{words.product}</span>
      </header>
      <main className={classes.panel}>
        <Stack gap="lg">
          <div>
            <Title order={1}>{title}</Title>
            {text ? (
              <Text c="dimmed" mt={6}>
                {text}
              </Text>
            ) : null}
          </div>
          {children}
        </Stack>
      </main>
      {footer ? <footer className={classes.footer}>{footer}</footer> : null}
    </div>
  );
}
