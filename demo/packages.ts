import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { strToU8, zipSync } from 'fflate';
import { create } from 'tar';

const HELLO_SERVER = fileURLToPath(new URL('./java/HelloServer.class', import.meta.url));
const MODULES = 200;

/** Builds what the demo deploys into `dir`, as a build server would: real archives, a real jar. */
export async function buildPackages(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const version of ['1.0.0', '1.1.0']) {
    await pack(dir, `shop-${version}`, phpShop(version));
    await pack(dir, `profile-${version}`, goProfile(version));
    await writeFile(join(dir, `eureka-${version}.jar`), await jar({ version }));
  }
  await writeFile(join(dir, 'eureka-1.2.0.jar'), await jar({ version: '1.2.0', crash: 'yes' }));
  const whole = await readFile(join(dir, 'shop-1.1.0.tar.gz'));
  await writeFile(join(dir, 'shop-1.2.0.tar.gz'), whole.subarray(0, whole.length / 2));
}

type Files = Record<string, string>;

function phpShop(version: string): Files {
  const files: Files = { 'index.php': `<?php echo "shop ${version}\\n";\n`, 'version.txt': `${version}\n` };
  for (let n = 1; n <= MODULES; n += 1) {
    files[`src/module${n}/Controller.php`] =
      `<?php namespace Shop\\Module${n};\nclass Controller { const VERSION = '${version}'; }\n`;
  }
  return files;
}

function goProfile(version: string): Files {
  return { 'bin/profile': `#!/bin/sh\necho profile ${version}\n`, 'conf/profile.toml': `version = "${version}"\n` };
}

/** A .tar.gz of one directory that is named like the release, as most build servers make them. */
async function pack(dir: string, name: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(dir, name, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode: path.startsWith('bin/') ? 0o755 : 0o644 });
  }
  await create({ gzip: true, cwd: dir, file: join(dir, `${name}.tar.gz`) }, [name]);
}

async function jar(about: Record<string, string>): Promise<Uint8Array> {
  const properties = Object.entries(about).map(([key, value]) => `${key}=${value}\n`);
  return zipSync({
    'META-INF/MANIFEST.MF': strToU8('Manifest-Version: 1.0\r\nMain-Class: HelloServer\r\n\r\n'),
    'about.properties': strToU8(properties.join('')),
    'HelloServer.class': new Uint8Array(await readFile(HELLO_SERVER)),
  });
}
