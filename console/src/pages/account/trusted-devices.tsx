/** Where one's password is enough for a while, because a second factor was proven there. */
import { IconShieldCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { api, take } from "../../api/client";
import { trustedDevicesQuery } from "../../api/email-codes";
import { words } from "../../words";
import { OwnDevices } from "./devices";

export function MyTrustedDevices() {
  const query = useQuery(trustedDevicesQuery);
  return (
    <OwnDevices
      said={words.trustedDevices}
      icon={<IconShieldCheck size={22} stroke={1.6} />}
      query={query}
      queryKey={trustedDevicesQuery.queryKey}
      lastUsed={(device) => device.last_used_at}
      end={(which) =>
        which === "all"
          ? take(api.DELETE("/v1/me/trusted-devices"))
          : take(
              api.DELETE("/v1/me/trusted-devices/{device_id}", {
                params: { path: { device_id: which.id } },
              }),
            )
      }
    />
  );
}
