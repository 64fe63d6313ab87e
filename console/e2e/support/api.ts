/** What a story needs to be there before it begins, made through the API as another client would. */
import { invitationLink } from "./mail";
import { ada, type Person, server } from "./people";

type Json = Record<string, unknown>;

async function call(token: string | null, method: string, path: string, body?: Json) {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      "content-type": "application/json",
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: body ? JSON.stringify(body) : undefined,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

async function enter(organization: string): Promise<string> {
  const session = await call(null, "POST", "/v1/sessions", {
    email: ada.email,
    password: ada.password,
    token_delivery: "body",
  });
  const body = { organization_id: organization };
  const entered = await call(session.access_token, "POST", "/v1/session/organization", body);
  return entered.access_token;
}

/** An organisation of Ada's with another owner, who has an account then. */
export async function organizationOf(name: string, owner: Person): Promise<Json & { id: string }> {
  const platform = await enter("00000000-0000-7000-8000-000000000001");
  const slug = name.toLowerCase().replaceAll(" ", "-");
  const organization = await call(platform, "POST", "/v1/organizations", { name, slug });
  await join(organization.id, owner, "owner");
  return organization;
}

/** Somebody new comes into one of Ada's organisations, with a role. */
export async function join(organization: string, person: Person, role: string): Promise<void> {
  const inside = await enter(organization);
  const since = Date.now();
  const path = `/v1/organizations/${organization}/invitations`;
  await call(inside, "POST", path, { email: person.email, role });
  const token = new URL(await invitationLink(person.email, since)).hash.replace("#token=", "");
  await call(null, "POST", "/v1/invitations/accept", {
    token,
    name: person.name,
    password: person.password,
    token_delivery: "body",
  });
}

/** A product declares an event of its own in one of Ada's organisations, and records one. */
export async function recordsOfItsOwn(
  organization: string,
  code: string,
  title: string,
): Promise<void> {
  const inside = await enter(organization);
  const path = `/v1/organizations/${organization}/audit`;
  await call(inside, "PUT", `${path}/event-types/${code}`, {
    title,
    meaning: "A customer paid an invoice in the shop.",
    severity: "low",
    class: "normal",
    target_type: "invoice",
    details: [{ name: "amount", meaning: "How much, in cents.", personal: false }],
  });
  await call(inside, "POST", `${path}/events`, { event: code, metadata: { amount: 4711 } });
}

/** Somebody calls this so often in the organisation that they are in, whatever comes of it. */
export async function reads(person: Person, path: string, times: number): Promise<void> {
  const { email, password } = person;
  const credentials = { email, password, token_delivery: "body" };
  const { access_token } = await call(null, "POST", "/v1/sessions", credentials);
  const headers = { authorization: `Bearer ${access_token}` };
  for (let at = 0; at < times; at += 1) await fetch(`${server.url}${path}`, { headers });
}

/** Sets settings of the platform, or of an organisation that Ada is in. */
export async function settings(organization: string | null, sections: Json): Promise<void> {
  const inside = await enter(organization ?? "00000000-0000-7000-8000-000000000001");
  const path = organization ? `/v1/organizations/${organization}/settings` : "/v1/settings";
  await call(inside, "PATCH", path, sections);
}

/** Somebody does something in an organisation that Ada is in: makes a team of this name. */
export async function makeTeam(organization: string, name: string): Promise<void> {
  const inside = await enter(organization);
  await call(inside, "POST", `/v1/organizations/${organization}/teams`, { name });
}

/** Ada gives somebody another role in one of her organisations. */
export async function giveRole(organization: string, email: string, role: string): Promise<void> {
  const inside = await enter(organization);
  const path = `/v1/organizations/${organization}/members`;
  const { items } = await call(inside, "GET", path);
  const member = items.find((found: { email: string }) => found.email === email);
  await call(inside, "PATCH", `${path}/${member.id}`, { role });
}

/** Ada leaves one of her organisations. */
export async function adaLeaves(organization: string): Promise<void> {
  const inside = await enter(organization);
  const me = await call(inside, "GET", "/v1/me");
  await call(inside, "DELETE", `/v1/organizations/${organization}/members/${me.member_id}`);
}

/** Ada puts somebody into a new team that gives a role, in one of her organisations. */
export async function giveByTeam(
  organization: string,
  email: string,
  team: { name: string; role: string },
): Promise<void> {
  const inside = await enter(organization);
  const path = `/v1/organizations/${organization}`;
  const made = await call(inside, "POST", `${path}/teams`, team);
  const { items } = await call(inside, "GET", `${path}/members`);
  const member = items.find((found: { email: string }) => found.email === email);
  await call(inside, "PUT", `${path}/teams/${made.id}/members/${member.id}`);
}

/** Ada makes a service account in one of her organisations. */
export async function makeService(organization: string, name: string, role: string): Promise<void> {
  const inside = await enter(organization);
  const path = `/v1/organizations/${organization}/service-accounts`;
  await call(inside, "POST", path, { name, role });
}

/** Ada makes a custom role in one of her organisations. */
export async function makeRole(
  organization: string,
  name: string,
  permissions: string[],
): Promise<void> {
  const inside = await enter(organization);
  await call(inside, "POST", `/v1/organizations/${organization}/roles`, { name, permissions });
}

/** The entries of an event in an organisation's record, the latest first. */
export async function recorded(organization: string, event: string): Promise<Json[]> {
  const inside = await enter(organization);
  const path = `/v1/organizations/${organization}/audit?event=${event}&limit=200`;
  return (await call(inside, "GET", path)).items;
}
