// The operations on customers that billd was asked for first, by the names that the descriptions have for them. Each is
// tested by seed.test.mjs: its good case, and each of its errors.
export const seed = `
  GET /v1/customers
  POST /v1/customers
  GET /v1/customers/{customer}
  POST /v1/customers/{customer}
  DELETE /v1/customers/{customer}
  GET /v1/customers/{customer}/sources
  POST /v1/customers/{customer}/sources
  GET /v1/customers/{customer}/sources/{id}
  POST /v1/customers/{customer}/sources/{id}
  DELETE /v1/customers/{customer}/sources/{id}
  POST /v1/customers/{customer}/sources/{id}/verify
  GET /v1/customers/{customer}/cards
  POST /v1/customers/{customer}/cards
  GET /v1/customers/{customer}/cards/{id}
  POST /v1/customers/{customer}/cards/{id}
  DELETE /v1/customers/{customer}/cards/{id}
  GET /v1/customers/{customer}/bank_accounts
  POST /v1/customers/{customer}/bank_accounts
  GET /v1/customers/{customer}/bank_accounts/{id}
  POST /v1/customers/{customer}/bank_accounts/{id}
  DELETE /v1/customers/{customer}/bank_accounts/{id}
  POST /v1/customers/{customer}/bank_accounts/{id}/verify
  GET /v1/customers/{customer}/subscriptions
  POST /v1/customers/{customer}/subscriptions
  GET /v1/customers/{customer}/subscriptions/{subscription_exposed_id}
  POST /v1/customers/{customer}/subscriptions/{subscription_exposed_id}
  DELETE /v1/customers/{customer}/subscriptions/{subscription_exposed_id}
  GET /v1/customers/{customer}/discount
  DELETE /v1/customers/{customer}/discount
  GET /v1/customers/{customer}/subscriptions/{subscription_exposed_id}/discount
  DELETE /v1/customers/{customer}/subscriptions/{subscription_exposed_id}/discount
`
  .trim()
  .split(/\n\s*/);
