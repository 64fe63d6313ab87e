/** The people of the story, and what the environment says of the server. */

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests with tests/e2e.sh`);
  return value;
}

export const server = {
  url: required("FREEHOLD_URL"),
  setupUrl: required("FREEHOLD_SETUP_URL"),
  mailDir: required("FREEHOLD_MAIL_DIR"),
  databaseDir: required("FREEHOLD_DATABASE_DIR"),
};

export interface Person {
  name: string;
  email: string;
  password: string;
}

export const ada: Person = {
  name: "Ada Lindqvist",
  email: "ada@freehold.example",
  password: "Granite-orchard 47 lamps",
};

export const ben: Person = {
  name: "Ben Okafor",
  email: "ben.okafor@harbour.example",
  password: "Seven quiet-Harbours 19",
};

export const eva: Person = {
  name: "Eva Nakamura",
  email: "eva.nakamura@harbour.example",
  password: "Copper-lantern 83 tides",
};

export const organization = { name: "Harbour Works", slug: "harbour-works" };
