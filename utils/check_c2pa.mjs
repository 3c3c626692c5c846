// What a C2PA reader written apart from c2pa-rs, @trustnxt/c2pa-ts, says of files of text2lip, as written and with one
// byte changed:
//
//     npm install @trustnxt/c2pa-ts
//     cp utils/check_c2pa.mjs . && node check_c2pa.mjs talk.mp4 talk.mov talk.gif talk.webp talk.wav
//
// It has no readers of GIF and RIFF: those are here, and it verifies the rest. It doesn't know the hash of a film whose
// `mdat` is hashed in blocks (`merkle`): that one is computed here, after section "BMFF-based hash" of C2PA 2.1, and
// looked for in the signed manifest.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { BMFF } from "@trustnxt/c2pa-ts/asset";
import { SuperBox } from "@trustnxt/c2pa-ts/jumbf";
import { ManifestStore, ValidationResult } from "@trustnxt/c2pa-ts/manifest";

for (const brand of ["isom", "qt  "]) BMFF.canReadBrands.add(brand);
const MANIFEST = Buffer.from("d8fec3d61b0e483c92975828877ec481", "hex"), BLOCK = 1 << 20;
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

class Asset {
  constructor(data, mimeType, start, length, jumbf) { Object.assign(this, { data, mimeType, start, length, jumbf }); }
  getDataLength() { return this.data.length; }
  async getDataRange(start = 0, length = this.data.length - start) { return this.data.subarray(start, start + length); }
  getManifestJUMBF() { return this.jumbf; }
  getHashExclusionRange() { return { start: this.start, length: this.length }; }
  dumpInfo() { return ""; }
}

function riff(data, mimeType) {
  for (let at = 12; at + 8 <= data.length;) {
    const length = data.readUInt32LE(at + 4), whole = 8 + length + (length & 1);
    if (data.toString("latin1", at, at + 4) === "C2PA")
      return new Asset(data, mimeType, at, whole, data.subarray(at + 8, at + 8 + length));
    at += whole;
  }
}

function gif(data) {
  const start = data.indexOf("C2PA_GIF") - 3, parts = [];
  if (start < 0) return undefined;
  let at = start + 14;
  for (; data[at]; at += 1 + data[at]) parts.push(data.subarray(at + 1, at + 1 + data[at]));
  return new Asset(data, "image/gif", start, at + 1 - start, Buffer.concat(parts));
}

function filmHashes(data) {
  const whole = createHash("sha256"), blocks = [];
  for (let at = 0, length; at < data.length; at += length) {
    length = data.readUInt32BE(at) || data.length - at;
    const kind = data.toString("latin1", at + 4, at + 8), place = Buffer.alloc(8);
    if (["ftyp", "mfra", "free", "skip"].includes(kind)) continue;
    if (kind === "uuid" && data.subarray(at + 8, at + 24).equals(MANIFEST)) continue;
    place.writeUInt32BE(at, 4);
    whole.update(place).update(data.subarray(at, kind === "mdat" ? at + 16 : at + length));
    for (let from = at + 16; kind === "mdat" && from < at + length; from += BLOCK)
      blocks.push(sha256(data.subarray(from, Math.min(from + BLOCK, at + length))));
  }
  return [whole.digest(), ...blocks];
}

for (const name of process.argv.slice(2)) {
  const written = await readFile(name), changed = Buffer.from(written), film = /\.(mp4|mov)$/.test(name);
  changed[Math.floor(changed.length * 0.9)] ^= 1;
  for (const [how, data] of [["as written", written], ["a byte changed", changed]]) {
    const asset = film ? new BMFF(data) : name.endsWith("gif") ? gif(data) : riff(data, name.endsWith("wav") ? "audio/wav" : "image/webp");
    if (!asset?.getManifestJUMBF()) { console.log(`${name} ${how}: no manifest`); continue; }
    const jumbf = Buffer.from(asset.getManifestJUMBF());
    let verdict;
    try { verdict = await ManifestStore.read(SuperBox.fromBuffer(new Uint8Array(jumbf))).validate(asset); }
    catch (error) { verdict = ValidationResult.fromError(error); }
    const said = verdict.statusEntries.map((entry) => (entry.success ? "" : "NOT ") + entry.code).join(", ");
    const here = film ? `; hashes computed here are signed: ${filmHashes(data).every((hash) => jumbf.includes(hash))}` : "";
    console.log(`${name} ${how}: valid ${verdict.isValid} (${said})${here}`);
  }
}
