"use strict";
// Shows the document beside this page and sends requests to the server that it came from. Nothing is kept: a key lives
// in this page's memory and is gone with it.

const DEEPEST = 6;
const SHOWN_CHARACTERS = 200000;
const METHODS = ["get", "post", "put", "delete"];
const secrets = new Map();

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

function root() {
  // Also where a proxy gives the server a path of its own.
  return location.pathname.replace(/(\/api)?\/docs\/?$/, "");
}

function resolved(api, schema) {
  const seen = new Set();
  while (schema && schema.$ref && !seen.has(schema.$ref)) {
    seen.add(schema.$ref);
    const found = schema.$ref.slice(2).split("/").reduce((node, part) => (node || {})[part], api);
    schema = found;
  }
  return schema || {};
}

function kindOf(api, schema) {
  const given = schema;
  schema = resolved(api, schema);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const choices = schema.anyOf || schema.oneOf;
  if (choices && !schema.properties) return choices.map((choice) => kindOf(api, choice)).join(" | ");
  if (schema.type === "array") return `list of ${kindOf(api, schema.items || {})}`;
  if (schema.type === "object" && schema.additionalProperties && !schema.properties)
    return `map of ${kindOf(api, schema.additionalProperties === true ? {} : schema.additionalProperties)}`;
  if (given.$ref && schema.properties) return given.$ref.split("/").pop();
  return (schema.type || "anything") + (schema.format ? ` (${schema.format})` : "");
}

function figure(number) {
  return number.toLocaleString("en");
}

function prose(text) {
  // What stands between back quotes is code.
  return text.split("`").map((part, n) => (n % 2 ? make("code", {}, part) : part));
}

function boundsOf(schema) {
  const said = [];
  if (schema.minimum !== undefined) said.push(`at least ${figure(schema.minimum)}`);
  if (schema.maximum !== undefined) said.push(`at most ${figure(schema.maximum)}`);
  if (schema.minLength) said.push(schema.minLength === 1 ? "not empty" : `${schema.minLength} characters or more`);
  if (schema.maxLength !== undefined) said.push(`up to ${schema.maxLength} characters`);
  if (schema.maxItems !== undefined) said.push(`up to ${schema.maxItems} items`);
  if (schema.pattern) said.push(`matching ${schema.pattern}`);
  if (schema.default !== undefined && schema.default !== null && schema.default !== "" && typeof schema.default !== "object")
    said.push(`default ${JSON.stringify(schema.default)}`);
  return said.length ? `, ${said.join(", ")}` : "";
}

function insideOf(api, schema) {
  // The object within a schema: itself, what a list holds, or what may be null.
  schema = resolved(api, schema);
  if (schema.properties) return schema;
  if (schema.type === "array") return insideOf(api, schema.items || {});
  for (const choice of schema.anyOf || schema.oneOf || []) {
    const found = insideOf(api, choice);
    if (found) return found;
  }
  if (schema.additionalProperties && schema.additionalProperties !== true) return insideOf(api, schema.additionalProperties);
  return null;
}

function fields(api, schema, depth, asked) {
  // Of an answer everything is there; of a request it matters what must be.
  const needed = new Set(asked ? schema.required || [] : []);
  const list = make("ul", { class: "schema" });
  for (const [name, field] of Object.entries(schema.properties || {})) {
    const full = resolved(api, field);
    const plain = (full.anyOf || []).map((one) => resolved(api, one)).find((one) => one.type !== "null") || full;
    const head = [
      make("code", {}, name), " ",
      make("span", { class: "kind" }, kindOf(api, field) + boundsOf({ ...plain, default: full.default })),
      needed.has(name) ? make("span", { class: "needed" }, " required") : null,
      field.description ? make("span", { class: "says" }, ` ${field.description}`) : null,
    ];
    const inner = insideOf(api, field);
    if (inner && depth < DEEPEST) {
      const below = make("details", {}, make("summary", {}, ...head.filter(Boolean)));
      below.addEventListener("toggle", () => {
        if (below.open && below.children.length === 1) below.append(fields(api, inner, depth + 1, asked));
      });
      list.append(make("li", {}, below));
    } else list.append(make("li", {}, ...head.filter(Boolean)));
  }
  return list;
}

function schemaView(api, schema, asked) {
  const inner = insideOf(api, schema);
  const full = resolved(api, schema);
  const parts = [];
  if (full.description) parts.push(make("p", { class: "says" }, ...prose(full.description.split("\n")[0])));
  if (inner) parts.push(fields(api, inner, 0, asked));
  else parts.push(make("p", {}, make("code", {}, kindOf(api, schema))));
  return parts;
}

function sample(api, schema, depth) {
  // A body to start from, where the document gives none.
  schema = resolved(api, schema);
  if (schema.default !== undefined && schema.default !== null) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return sample(api, schema.anyOf.find((one) => one.type !== "null") || {}, depth);
  if (schema.type === "array") return depth > DEEPEST ? [] : [sample(api, schema.items || {}, depth + 1)];
  if (schema.properties) {
    const wanted = schema.oneOf ? schema.oneOf[0].required : schema.required || [];
    return Object.fromEntries(wanted.map((name) => [name, sample(api, schema.properties[name], depth + 1)]));
  }
  return { integer: schema.minimum || 0, number: 0, boolean: false, string: "text", object: {} }[schema.type] ?? null;
}

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function curl(method, url, headers, body) {
  const parts = ["curl", "-i"];
  if (method !== "GET") parts.push("-X", method);
  for (const [name, value] of headers) {
    // What is secret stays out of shell histories and screenshots.
    const shown = secrets.has(name) ? (name === "Authorization" ? "Bearer $TOKEN" : "$KEY") : value;
    parts.push("-H", secrets.has(name) ? `"${name}: ${shown}"` : quoted(`${name}: ${shown}`));
  }
  if (body !== undefined) parts.push("-d", quoted(body));
  parts.push(quoted(url));
  return parts.join(" ");
}

function pretty(text, kind) {
  if (!(kind || "").includes("json")) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function shortened(text) {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}\n… ${text.length - SHOWN_CHARACTERS} more characters` : text;
}

async function send(button, place, request) {
  button.disabled = true;
  place.replaceChildren(make("p", {}, "Waiting for the answer …"));
  const headers = [...request.headers, ...[...secrets].filter(([, value]) => value)];
  const line = curl(request.method, new URL(request.url, location.href).href, headers, request.body);
  const started = performance.now();
  try {
    const answer = await fetch(request.url, {
      method: request.method, headers, body: request.body, credentials: "omit", cache: "no-store",
    });
    const text = await answer.text();
    const took = (performance.now() - started).toFixed(1);
    const kind = answer.headers.get("Content-Type");
    const heads = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    place.replaceChildren(
      make("p", {}, make("span", { class: `status ${answer.ok ? "good" : "bad"}` }, `${answer.status} ${answer.statusText}`), ` in ${took} ms`),
      make("h3", {}, "Body"), make("pre", { tabindex: "0" }, shortened(pretty(text, kind))),
      make("h3", {}, "Headers"), make("pre", { tabindex: "0" }, heads),
      make("h3", {}, "Command"), make("pre", { tabindex: "0" }, line),
    );
  } catch (error) {
    place.replaceChildren(
      make("p", {}, make("span", { class: "status bad" }, "No answer"), ` ${error.message}`),
      make("h3", {}, "Command"), make("pre", { tabindex: "0" }, line),
    );
  } finally {
    button.disabled = false;
  }
}

function trial(api, path, method, operation) {
  const values = new Map();
  const form = make("form", {});
  for (const parameter of operation.parameters || []) {
    const id = `${operation.operationId}-${parameter.name}`;
    const example = ((parameter.schema || {}).examples || [""])[0];
    const input = make("input", { id, class: "mono", required: parameter.required, value: example, autocomplete: "off", spellcheck: "false" });
    values.set(parameter.name, input);
    form.append(make("div", { class: "row" }, make("label", { for: id }, parameter.name), input));
  }
  let area;
  const content = ((operation.requestBody || {}).content || {})["application/json"];
  if (content) {
    const examples = Object.entries(content.examples || {});
    const first = examples.length ? examples[0][1].value : sample(api, content.schema, 0);
    const id = `${operation.operationId}-body`;
    area = make("textarea", { id, spellcheck: "false", autocomplete: "off", "aria-label": "Body of the request, JSON" });
    area.value = JSON.stringify(first, null, 2);
    if (examples.length > 1) {
      const choice = make("select", { "aria-label": "Example" }, ...examples.map(([name], n) => make("option", { value: n }, name)));
      choice.addEventListener("change", () => { area.value = JSON.stringify(examples[choice.value][1].value, null, 2); });
      form.append(make("div", { class: "row" }, choice));
    }
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    form.append(area);
  }
  const forms = Object.keys(((operation.responses || {})["200"] || {}).content || {});
  let accept;
  if (forms.length > 1) {
    accept = make("select", { "aria-label": "Form of the answer" }, ...forms.map((kind) => make("option", {}, kind)));
    form.append(make("div", { class: "row" }, accept));
  }
  const button = make("button", { type: "submit", class: "go" }, "Send");
  const place = make("div", { class: "answer", "aria-live": "polite" });
  form.append(make("div", { class: "row" }, button, area ? make("span", { class: "quiet" }, "or Ctrl+Enter") : null));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values.get(name).value));
    const headers = area ? [["Content-Type", "application/json"]] : [];
    if (accept) headers.push(["Accept", accept.value]);
    send(button, place, { method: method.toUpperCase(), url: root() + filled, headers, body: area ? area.value : undefined });
  });
  return [make("h3", {}, "Try it"), form, place];
}

function statuses(api, responses) {
  const list = make("ul", { class: "statuses" });
  for (const [status, given] of Object.entries(responses)) {
    const answer = resolved(api, given);
    const schema = Object.values(answer.content || {}).map((form) => form.schema)[0];
    const said = [make("strong", {}, status), " ", make("span", { class: "says" }, ...prose(answer.description))];
    if (schema && insideOf(api, schema)) {
      const below = make("details", {}, make("summary", {}, ...said));
      below.addEventListener("toggle", () => {
        if (below.open && below.children.length === 1) below.append(...schemaView(api, schema, false));
      });
      list.append(make("li", {}, below));
    } else list.append(make("li", {}, ...said));
  }
  return list;
}

function operationView(api, path, method, operation) {
  const details = make("details", { class: "operation", id: operation.operationId },
    make("summary", {},
      make("span", { class: `method ${method}` }, method.toUpperCase()),
      make("code", { class: "path" }, path),
      make("span", { class: "says" }, operation.summary)));
  // What is inside is made when somebody looks: the page is there at once.
  details.addEventListener("toggle", () => {
    if (!details.open || details.children.length > 1) return;
    const body = ((operation.requestBody || {}).content || {})["application/json"];
    details.append(make("div", { class: "inside" },
      make("div", {},
        make("p", {}, ...prose(operation.description)),
        ...(body ? [make("h3", {}, "Request"), ...schemaView(api, body.schema, true)] : []),
        make("h3", {}, "Answers"), statuses(api, operation.responses)),
      make("div", {}, ...trial(api, path, method, operation))));
  });
  details.dataset.words = `${method} ${path} ${operation.summary} ${operation.description} ${operation.operationId}`.toLowerCase();
  return details;
}

function credentials(api) {
  const place = document.getElementById("credentials");
  place.addEventListener("submit", (event) => event.preventDefault());
  for (const [name, scheme] of Object.entries((api.components || {}).securitySchemes || {})) {
    const header = scheme.type === "http" ? "Authorization" : scheme.name;
    const label = scheme.type === "http" ? "Token" : "API key";
    const input = make("input", { id: `secret-${name}`, type: "password", class: "mono", autocomplete: "new-password", placeholder: header });
    secrets.set(header, "");
    input.addEventListener("input", () => {
      const value = input.value.trim();
      secrets.set(header, value && scheme.type === "http" ? `Bearer ${value}` : value);
    });
    place.append(make("label", { for: input.id }, label), input);
  }
}

function filter(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const group of document.querySelectorAll(".group")) {
    let left = 0;
    for (const operation of group.querySelectorAll("details.operation")) {
      const hit = words.every((word) => operation.dataset.words.includes(word));
      operation.hidden = !hit;
      left += hit;
    }
    group.hidden = !left;
  }
}

function opened() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") {
    target.open = true;
    target.scrollIntoView();
  }
}

function show(api) {
  document.title = `${api.info.title} ${api.info.version}`;
  document.querySelector(".bar h1").textContent = api.info.title;
  const groups = document.getElementById("operations");
  document.getElementById("about").replaceChildren(
    make("p", {}, api.info.description),
    make("p", { class: "quiet" }, `Version ${api.info.version}, OpenAPI ${api.openapi}. `, make("a", { href: "openapi.json" }, "openapi.json")));
  if (api.paths["/status"]) document.getElementById("nav").append(make("a", { href: `${root()}/status` }, "Status"));
  credentials(api);
  for (const tag of api.tags) {
    const group = make("section", { class: "group" }, make("h2", {}, tag.name), make("p", { class: "quiet" }, tag.description));
    for (const [path, item] of Object.entries(api.paths))
      for (const method of METHODS)
        if (item[method] && item[method].tags.includes(tag.name)) group.append(operationView(api, path, method, item[method]));
    groups.append(group);
  }
  const box = document.getElementById("filter");
  box.addEventListener("input", () => filter(box.value));
  window.addEventListener("hashchange", opened);
  opened();
}

fetch("openapi.json", { cache: "no-store" })
  .then((answer) => answer.json())
  .then(show)
  .catch((error) => {
    document.getElementById("about").replaceChildren(make("p", { class: "complaint" }, `The document cannot be loaded: ${error.message}`));
  });
