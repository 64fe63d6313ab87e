/** Destroying a retired key, after reading what can't be opened then and typing which one it is. */
import { Text } from "@mantine/core";
import { api, take } from "../../api/client";
import { keys } from "../../api/queries";
import type { DataKey } from "../../api/types";
import { ActDialog } from "../../parts/act-dialog";
import { Time } from "../../parts/time";
import { words } from "../../words";

const said = words.keys;

export function DestroyDialog({ dataKey, onClose }: { dataKey: DataKey; onClose: () => void }) {
  const { id, scope, version, retired_at } = dataKey;
  const name = said.scopeName(scope);
  const params = { path: { data_key_id: id } };
  return (
    <ActDialog
      onClose={onClose}
      text={{
        title: said.destroy.title(name, version),
        effects: said.destroy.effects(version),
        action: said.destroy.action,
        done: said.destroy.done(name, version),
      }}
      run={() => take(api.POST("/v1/data-keys/{data_key_id}/destroy", { params }))}
      refresh={[keys.dataKeys]}
      typed={said.destroy.typed(scope, version)}
    >
      <Text size="sm">
        {said.retiredSince}: <Time value={retired_at} />
      </Text>
    </ActDialog>
  );
}
