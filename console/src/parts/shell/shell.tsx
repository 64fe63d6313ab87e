/** The frame around every page of a signed-in person. */
import { ActionIcon, Box, Burger, Drawer, Kbd, UnstyledButton } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useRouterState } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef } from "react";
import { words } from "../../words";
import { ActingBanner } from "../acting";
import { Wordmark } from "../mark";
import { ProofDialog } from "../proof";
import { SecondFactorWall } from "../second-factor-wall";
import { Navigation } from "./navigation";
import { Palette } from "./palette";
import { PersonMenu } from "./person-menu";
import classes from "./shell.module.css";
import { Switcher } from "./switcher";

interface RailProps {
  onGo?: () => void;
  onFind: () => void;
}

function Rail({ onGo, onFind }: RailProps) {
  return (
    <div className={classes.railBody}>
      <Switcher />
      <UnstyledButton
        className={classes.find}
        onClick={() => {
          onGo?.();
          onFind();
        }}
      >
        <IconSearch size={15} stroke={1.8} aria-hidden="true" />
        <span className={classes.findText}>{words.shell.find}</span>
        <Kbd size="xs" aria-hidden="true" visibleFrom="sm">
          {words.shell.findShortcut}
        </Kbd>
      </UnstyledButton>
      <Navigation onGo={onGo} />
      <PersonMenu onGo={onGo} />
    </div>
  );
}

/** After going to another page, reading starts at its beginning. */
function useFocusMain() {
  const pathname = useRouterState({ select: (state) => state.resolvedLocation?.pathname });
  const previous = useRef(pathname);
  useEffect(() => {
    if (previous.current && pathname && previous.current !== pathname) {
      document.getElementById("main")?.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
    previous.current = pathname;
  }, [pathname]);
}

export function Shell({ children }: { children: ReactNode }) {
  const [opened, { open, close }] = useDisclosure(false);
  const [finding, find] = useDisclosure(false);
  // In fields too: the palette is the way out of anywhere.
  useHotkeys([["mod+K", find.toggle]], [], true);
  useFocusMain();
  return (
    <div className={classes.shell}>
      <a href="#main" className={classes.skip}>
        {words.common.skip}
      </a>
      <section className={classes.bar} aria-label={words.shell.bar}>
        <Burger opened={false} size="sm" onClick={open} aria-label={words.shell.openNavigation} />
        <Wordmark />
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          ml="auto"
          onClick={find.open}
          aria-label={words.shell.find}
        >
          <IconSearch size={19} stroke={1.7} />
        </ActionIcon>
      </section>
      <Drawer
        opened={opened}
        onClose={close}
        position="left"
        size={290}
        title={<Wordmark />}
        closeButtonProps={{ "aria-label": words.shell.closeNavigation }}
        classNames={{ content: classes.drawer, header: classes.drawer, body: classes.drawerBody }}
      >
        <Rail onGo={close} onFind={find.open} />
      </Drawer>
      <aside className={classes.rail}>
        <Box className={classes.brand}>
          <Wordmark />
        </Box>
        <Rail onFind={find.open} />
      </aside>
      <div className={classes.stage}>
        <ActingBanner />
        <main id="main" tabIndex={-1} className={classes.main}>
          <div className={classes.content}>
            <SecondFactorWall>{children}</SecondFactorWall>
          </div>
        </main>
      </div>
      <ProofDialog />
      <Palette opened={finding} onClose={find.close} />
    </div>
  );
}
