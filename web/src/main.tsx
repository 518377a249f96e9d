// Opens the trace that the page carries and shows it.

import { render } from "preact";
import { App } from "./app";
import { read } from "./data";
import { States } from "./states";
import "./style.css";

const root = document.getElementById("app")!;

function say(text: string): void {
  const line = document.createElement("p");
  line.className = "opening";
  line.setAttribute("role", "alert");
  line.textContent = text;
  root.replaceChildren(line);
}

async function open(): Promise<void> {
  const packed = document.getElementById("trace")?.textContent ?? "";
  if (packed.trim() === "") return say("This page carries no trace. `memsight view PROGRAM -o FILE.html` writes one that does.");
  const trace = await read(packed);
  if (trace.steps.length === 0) return say(`The program took no step. It ended with: ${trace.ending}.`);
  root.replaceChildren();
  render(<App states={new States(trace)} />, root);
}

open().catch((error: unknown) => {
  say(`The trace in this page cannot be read: ${error instanceof Error ? error.message : String(error)}. Write the page again with memsight view.`);
});
