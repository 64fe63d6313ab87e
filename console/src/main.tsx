/** Start: takes a link's token off the address, then puts theme, cache and router together. */
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./global.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { onSignedOut } from "./api/client";
import { takeLinkToken, watchLinkToken } from "./api/link-token";
import { Problem } from "./api/problem";
import { keys } from "./api/queries";
import { tellProblem } from "./parts/notify";
import { makeRouter } from "./router";
import { colorSchemeManager, cssVariables, styleNonce, theme } from "./theme";

takeLinkToken();
watchLinkToken();
// The scroll lock behind dialogs makes a style element of its own.
setNonce(styleNonce());

/** An organisation that asks for a newer sign-in than this session's: sign in, then come back. */
function signInAgain(): void {
  const { pathname, href } = router.state.location;
  if (pathname === "/sign-in") return;
  tellProblem(new Problem({ code: "sign_in_again", status: 403 }));
  void router.navigate({ to: "/sign-in", search: { return: href } });
}

/** A refusal often means that one's role or organisation changed meanwhile: look again. */
function lookAgain(error: unknown): void {
  if (error instanceof Problem && error.code === "sign_in_again") {
    signInAgain();
  } else if (error instanceof Problem && error.status === 403) {
    void client.invalidateQueries({ queryKey: keys.me, exact: true });
  }
}

const client = new QueryClient({
  queryCache: new QueryCache({ onError: lookAgain }),
  mutationCache: new MutationCache({ onError: lookAgain }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, error) => failures < 2 && error instanceof Problem && error.transient,
    },
  },
});

const router = makeRouter(client);

onSignedOut(() => {
  const { pathname, href } = router.state.location;
  if (pathname === "/sign-in") return;
  void router
    .navigate({ to: "/sign-in", search: pathname === "/" ? {} : { return: href } })
    // What the page there shows is in use and stays; all that the person saw goes.
    .then(() => client.removeQueries({ type: "inactive" }));
});

const host = document.getElementById("root");
if (host) {
  createRoot(host).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        defaultColorScheme="auto"
        colorSchemeManager={colorSchemeManager}
        cssVariablesResolver={cssVariables}
        getStyleNonce={styleNonce}
      >
        <QueryClientProvider client={client}>
          <Notifications position="bottom-right" limit={4} />
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}
