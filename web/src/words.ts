// How amounts and addresses are written, the same everywhere on the page.

import type { Obj, Ref } from "./data";
import { isObject } from "./data";

const NUMBERS = new Intl.NumberFormat("en-US");

export const number = (value: number): string => NUMBERS.format(value);

export const bytes = (value: number): string => `${number(value)} B`;

/** `…c30`: the end of an address, which is what differs. */
export const short = (address: number): string => `…${address.toString(16).slice(-4)}`;

export const full = (address: number): string => `0x${address.toString(16)}`;

export const plural = (count: number, one: string): string => `${number(count)} ${count === 1 ? one : `${one}s`}`;

export function cut(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}

/** `list …c30`, or the value itself. */
export function describe(ref: Ref, state: ReadonlyMap<number, Obj>): string {
  if (!isObject(ref)) return ref.text;
  const object = state.get(ref.id);
  if (!object) return "an object that is not looked at";
  const offset = ref.offset ? ` + ${number(ref.offset)}` : "";
  if (object.kind === "value" && object.value !== null) return `${cut(object.value, 40)}${offset}`;
  return `${object.type} ${short(object.address)}${offset}`;
}

export function countText(object: Obj): string {
  if (object.immortal) return "immortal";
  return object.count === null ? "" : number(object.count);
}
