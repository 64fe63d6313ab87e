/** Where one has signed in before: strangers who guess passwords don't lock one out there. */
import { IconDevices } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { api, take } from "../../api/client";
import { knownDevicesQuery } from "../../api/queries";
import { words } from "../../words";
import { OwnDevices } from "./devices";

export function MyKnownDevices() {
  const query = useQuery(knownDevicesQuery);
  return (
    <OwnDevices
      said={words.account.knownDevices}
      icon={<IconDevices size={22} stroke={1.6} />}
      query={query}
      queryKey={knownDevicesQuery.queryKey}
      lastUsed={(device) => device.last_seen_at}
      end={(which) =>
        which === "all"
          ? take(api.DELETE("/v1/me/known-devices"))
          : take(
              api.DELETE("/v1/me/known-devices/{device_id}", {
                params: { path: { device_id: which.id } },
              }),
            )
      }
    />
  );
}
