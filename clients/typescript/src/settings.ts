/** An agent's settings: given, or from the environment where there is one. */
import { ConfigError } from "./errors.js";
import { Gateway } from "./gateway.js";
import { pinned, published } from "./keys.js";
import { DEPLOYMENT, type Taken } from "./tokens.js";

export interface Settings {
  /** Where `signoff web` is: SIGNOFF_WEB_URL. https, or http to this machine. */
  url?: string | undefined;
  /** This agent's token (`sgt_…`): SIGNOFF_TOKEN. */
  token?: string | undefined;
  /** This agent's name: SIGNOFF_AGENT. */
  agent?: string | undefined;
  /** The server's public keys (`ed25519:…`): SIGNOFF_VERIFY_KEY. With `jwks` the gateway is trusted to say them. */
  verifyKey?: string | undefined;
  /** The server's name: SIGNOFF_DEPLOYMENT. */
  deployment?: string | undefined;
  /** This agent's own secret, which keeps others from telling its requests' ids: SIGNOFF_AGENT_SECRET. */
  secret?: string | undefined;
  /** Seconds for which a call is tried again while the gateway cannot be reached, or has too much to do. */
  patience?: number | undefined;
  fetch?: typeof globalThis.fetch | undefined;
}

const PATIENCE = 120;

/** Settings as a client uses them. Throws ConfigError, naming what is missing. */
export interface Used {
  readonly gateway: Gateway;
  readonly taken: Taken;
  readonly secret: string | undefined;
  readonly patience: number;
}

export function used(settings: Settings): Used {
  const agent = needed("SIGNOFF_AGENT", settings.agent, "this agent's name, such as billing-bot");
  if (!/^[a-z0-9-]{1,40}$/.test(agent))
    throw new ConfigError("The agent's name may hold a-z, 0-9 and -, at most 40 characters.");
  const key = needed("SIGNOFF_VERIFY_KEY", settings.verifyKey, "what `signoff keys public` prints, or jwks");
  const gateway = gatewayOf(settings);
  const keys = key === "jwks" ? published(gateway.url, settings.fetch ?? fetch) : pinned(key);
  return {
    gateway,
    taken: { keys, agent, deployment: settings.deployment ?? env("SIGNOFF_DEPLOYMENT") ?? DEPLOYMENT },
    secret: settings.secret ?? env("SIGNOFF_AGENT_SECRET"),
    patience: settings.patience ?? PATIENCE,
  };
}

/** The gateway that settings name. */
export function gatewayOf({ url, token, fetch }: Pick<Settings, "url" | "token" | "fetch">): Gateway {
  return new Gateway(
    needed("SIGNOFF_WEB_URL", url, "where `signoff web` is"),
    needed("SIGNOFF_TOKEN", token, "what `signoff agent add` printed (sgt_…)"),
    fetch ?? globalThis.fetch.bind(globalThis),
  );
}

function needed(name: string, given: string | undefined, what: string): string {
  const value = given ?? env(name);
  if (!value) throw new ConfigError(`${name} is not set: ${what}.`);
  return value;
}

function env(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name] || undefined;
}
