/** The public face of authentication. */
export { AccessState } from "./access_state.ts";
export {
  type Authenticator,
  CredentialAuthenticator,
  OpenDoor,
} from "./authenticator.ts";
export type { CredentialPlace, RequestHeaders } from "./credentials.ts";
export { type Action, Principal, UserPrincipal } from "./principal.ts";
export { type Role, ROLES } from "./roles.ts";
export { subscriptionGrant } from "./subscription_grant.ts";
export { KeyError } from "./ed25519.ts";
