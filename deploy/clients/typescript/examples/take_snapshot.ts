// Prints the books of an insurer at one moment, and the token to follow from: node take_snapshot.js
import { settlements } from "./connect.js";

const service = settlements();
const { balances, payments, end } = await service.snapshot();
service.close();
const accounts = Object.fromEntries(balances.map((balance) => [balance.account, balance.cents]));
const open = Object.fromEntries(payments.map((payment) => [payment.payment_reference, payment.cents]));
const at = { position: end.position, sum_cents: end.sum_cents, token: end.token };
console.log(JSON.stringify({ ...at, balances: accounts, payments: open }));
