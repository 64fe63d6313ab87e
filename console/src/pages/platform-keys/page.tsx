/** The keys that seal what is protected: how old they are, what is under them, changing them. */
import { SimpleGrid } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { useState } from "react";
import { dataKeysCensusQuery, dataKeysQuery, keyRotationsQuery } from "../../api/queries";
import type { DataKey, DataKeys } from "../../api/types";
import { Page } from "../../parts/page";
import { Panel } from "../../parts/panel";
import { useWhyNot } from "../../parts/permissions";
import { PlatformForbidden } from "../../parts/platform-only";
import { Failed, Loading } from "../../parts/states";
import { words } from "../../words";
import { DestroyDialog } from "./destroy";
import { KeyFacts } from "./facts";
import { History } from "./history";
import { ScopeCard } from "./scope";
import { SigningKeys } from "./signing";
import { RotationDialog } from "./wizard";

const said = words.keys;

export default function KeysPage() {
  const forbidden = useWhyNot("data_keys_list");
  // With what is open: a link that a colleague sent leads there from any organisation.
  const here = useLocation({ select: ({ href }) => href });
  return (
    <Page title={said.title} purpose={said.purpose} place={words.shell.platform}>
      {forbidden ? <PlatformForbidden back={here} /> : <Keys />}
    </Page>
  );
}

function Keys() {
  const query = useQuery(dataKeysQuery);
  // What was there last stays in sight while the server restarts.
  if (query.data) return <Known inventory={query.data} />;
  return (
    <Panel>
      {query.isError ? (
        <Failed error={query.error} retry={() => void query.refetch()} />
      ) : (
        <Loading />
      )}
    </Panel>
  );
}

function Known({ inventory }: { inventory: DataKeys }) {
  const { items, scopes } = inventory;
  const census = useQuery(dataKeysCensusQuery(items));
  const rotations = useQuery(keyRotationsQuery()).data?.items ?? [];
  const going = rotations.filter(({ step }) => step !== "finished");
  const [destroying, setDestroying] = useState<DataKey | null>(null);
  return (
    <>
      <Panel>
        <KeyFacts inventory={inventory} census={census} />
      </Panel>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
        {scopes.map((scope) => (
          <ScopeCard
            key={scope}
            scope={scope}
            keys={items.filter((key) => key.scope === scope)}
            census={census.data}
            rotation={going.find((rotation) => rotation.scope === scope)}
            onDestroy={setDestroying}
          />
        ))}
      </SimpleGrid>
      <History keys={items} />
      <SigningKeys />
      <RotationDialog inventory={inventory} going={going} />
      {destroying ? (
        <DestroyDialog dataKey={destroying} onClose={() => setDestroying(null)} />
      ) : null}
    </>
  );
}
