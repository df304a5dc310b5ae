// Goes through Xero's consent with Xero's own client, writes and reads an invoice, and disconnects.
// Prints what the client made of it as JSON. Only the hosts are replaced: the client has them as constants.
const axios = require("axios");
const { Issuer } = require("openid-client");
const { XeroClient, Invoice } = require("xero-node");

const [box, tenant] = process.argv.slice(2);
const discover = Issuer.discover;
Issuer.discover = () => discover.call(Issuer, box);
axios.interceptors.request.use((request) => {
  request.url = request.url.replace(/^https:\/\/(api|identity)\.xero\.com/, box);
  return request;
});

async function consent(url) {
  const body = new URLSearchParams({ decision: "allow", organisation: tenant });
  const answer = await fetch(url, { method: "POST", body, redirect: "manual" });
  return answer.headers.get("location");
}

async function main() {
  const xero = new XeroClient({
    clientId: "sandbox-client",
    clientSecret: "sandbox-secret",
    redirectUris: ["http://localhost:8501/xero/callback"],
    scopes: "openid profile email offline_access accounting.invoices accounting.contacts accounting.settings".split(" "),
    state: "a-state",
  });
  const given = await xero.apiCallback(await consent(await xero.buildConsentUrl()));
  const claims = given.claims();
  const renewed = await xero.refreshToken();
  const [connected] = await xero.updateTenants();
  const line = { description: "Conseil", quantity: 1, unitAmount: 100, accountCode: "706", taxType: "TAX001" };
  const head = { type: Invoice.TypeEnum.ACCREC, contact: { name: "Zoé" }, date: "2026-11-02", dueDate: "2026-12-02" };
  const sent = { ...head, invoiceNumber: "N-1", status: "AUTHORISED", lineItems: [line] };
  const made = await xero.accountingApi.createInvoices(tenant, { invoices: [sent] });
  const found = await xero.accountingApi.getInvoices(tenant, undefined, undefined, undefined, undefined, ["N-1"]);
  await xero.disconnect(connected.id);
  const refused = await xero.accountingApi.getOrganisations(tenant).then(() => 200, (error) => statusOf(error));
  return {
    issuer: claims.iss,
    email: claims.email,
    renewed: renewed.claims().sub === claims.sub && renewed.refresh_token !== given.refresh_token,
    organisation: connected.orgData.name,
    made: made.body.invoices[0].invoiceID,
    found: found.body.invoices[0].invoiceID,
    total: found.body.invoices[0].total,
    refused,
  };
}

function statusOf(error) {
  const told = typeof error === "string" ? JSON.parse(error) : error;
  return told.response.statusCode ?? told.response.status;
}

main().then(
  (result) => console.log(JSON.stringify(result)),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
