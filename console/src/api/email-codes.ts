/** Codes by e-mail, and the devices that a person trusts. */
import { queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";
import { keys } from "./queries";

export const trustedDevicesQuery = queryOptions({
  queryKey: [...keys.me, "trusted-devices"],
  queryFn: ({ signal }) =>
    take(api.GET("/v1/me/trusted-devices", { signal, params: { query: { limit: 200 } } })),
});

/** Where a code is sent from: a sign-in that waits, or a session. */
export type SendPlace = "challenge" | "session";

export const sendCode = (place: SendPlace) =>
  place === "challenge"
    ? take(api.POST("/v1/sessions/second-factor/email-code", { body: {} }))
    : take(api.POST("/v1/session/email-code"));
