// What conditions say while nobody is asked who he is (feature `authentication-oidc`, a later issue).

/** Of `EventPoliciesReady`. */
export const NO_POLICIES = { reason: "OIDCDisabled", message: 'Feature "authentication-oidc" must be enabled to support Authorization' };

/** Of `OIDCIdentityCreated`. */
export const NO_OIDC = { reason: "authentication-oidc feature disabled" };
