/** Extracts the README's first example, unchanged, as a program to compile. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const FOLDER = new URL("../../", import.meta.url); // the package; this file is in `build/readme`
const MAX_LINES = 30;

const text = readFileSync(new URL("README.md", FOLDER), "utf8");
const example = /```ts\n(import .*?)```/s.exec(text)?.[1];
if (example === undefined) throw new Error("The README has no example.");
const lines = example.split("\n").filter((line) => line.trim() !== "").length;
if (lines >= MAX_LINES) throw new Error(`The first example has ${lines} lines.`);
mkdirSync(new URL("build/example/", FOLDER), { recursive: true });
writeFileSync(new URL("build/example/example.ts", FOLDER), example);
