// SPDX-License-Identifier: GPL-2.0-or-later
// noVNC's core in a headless Chromium against rfb_show: the canvas must show the test picture, through a
// change and a new size, and keys must arrive as the scan codes of the keyboard's places.
//
//	node novnc.mjs RFB_SHOW SOCKET NOVNC_FOLDER CHROMIUM
//
// Prints TAP lines. This process is the web server, the bridge from WebSocket to unix socket, and the judge.
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join, normalize } from 'node:path';

const [program, socketPath, novnc, chromium] = process.argv.slice(2);
const types = { '.js': 'text/javascript', '.html': 'text/html' };
let failed = 0, count = 0;

function result(ok, description, more = '') {
	count++;
	console.log(`${ok ? 'ok' : 'not ok'} ${count} - ${description}${more && !ok ? '\n# ' + more : ''}`);
	if (!ok)
		failed = 1;
}

// The picture of test_picture.h, written once more.
function testPicture(x, y, number) {
	const bars = [0xffffff, 0xffff00, 0x00ffff, 0x00ff00, 0xff00ff, 0xff0000, 0x0000ff, 0];
	let noise;

	switch ((Math.floor(y / 96) + number) % 5) {
	case 0:
		return bars[Math.floor(x / 80) % 8];
	case 1:
		return x % 16 === 0 || y % 16 === 0 ? 0xc0c0c0 : 0x000080;
	case 2:
		return (x & 255) << 16 | (y & 255) << 8 | (x + y & 255);
	case 3:
		return (Math.floor(x / 3) + Math.floor(y / 2)) % 7 < 2 ? 0x102030 : 0xe0e0d0;
	default:
		noise = Math.imul(x, 2654435761) ^ Math.imul(y, 2246822519) ^ Math.imul(number, 3266489917);
		noise ^= noise >>> 15;
		noise = Math.imul(noise, 2246822519);
		return (noise ^ noise >>> 13) & 0xffffff;
	}
}

function differences(picture, width, height, number) {
	let n = 0;

	if (picture.width !== width || picture.height !== height)
		return width * height;
	for (let y = 0, at = 0; y < height; y++) {
		for (let x = 0; x < width; x++, at += 4) {
			const rgb = picture.bytes[at] << 16 | picture.bytes[at + 1] << 8 | picture.bytes[at + 2];
			n += rgb !== testPicture(x, y, number);
		}
	}
	return n;
}

const page = `<!doctype html><div id=screen style="width:1100px;height:900px"></div><script type=module>
import RFB from '/core/rfb.js';
const rfb = new RFB(document.getElementById('screen'), 'ws://' + location.host + '/ws');
const events = new EventSource('/events');
rfb.addEventListener('disconnect', () => fetch('/gone', { method: 'POST' }));
rfb.addEventListener('connect', () => fetch('/connected', { method: 'POST' }));
events.onmessage = async (event) => {
	const order = JSON.parse(event.data);
	const canvas = document.querySelector('canvas');
	if (order.look) {
		const image = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
		await fetch('/picture?' + canvas.width + 'x' + canvas.height, { method: 'POST', body: image.data });
	}
	for (const [keysym, code, down] of order.keys ?? [])
		rfb.sendKey(keysym, code, down);
};
</script>`;

// --- the server

let events, waiting = {};

function once(name, ms) {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error(`no ${name}`)), ms);
		waiting[name] = (value) => { clearTimeout(timer); delete waiting[name]; resolve(value); };
	});
}

async function serve(request, response) {
	const path = normalize(new URL(request.url, 'http://x').pathname);

	if (request.method === 'POST') {
		const chunks = [];
		for await (const chunk of request)
			chunks.push(chunk);
		response.end();
		const [width, height] = request.url.split('?')[1]?.split('x').map(Number) ?? [];
		waiting[path.slice(1)]?.({ width, height, bytes: Buffer.concat(chunks) });
		return;
	}
	if (path === '/events') {
		response.writeHead(200, { 'Content-Type': 'text/event-stream' });
		response.write('\n');
		events = response;
		return;
	}
	try {
		const body = path === '/' ? page : await readFile(join(novnc, path));
		response.writeHead(200, { 'Content-Type': types[path.slice(path.lastIndexOf('.'))] ?? 'text/html' });
		response.end(body);
	} catch {
		response.writeHead(404).end();
	}
}

function frame(data) {
	const header = data.length < 126 ? Buffer.from([0x82, data.length])
		: data.length < 65536 ? Buffer.from([0x82, 126, data.length >> 8, data.length & 255])
		: Buffer.concat([Buffer.from([0x82, 127]), Buffer.alloc(8)]);
	if (data.length >= 65536)
		header.writeBigUInt64BE(BigInt(data.length), 2);
	return Buffer.concat([header, data]);
}

// The browser's frames are masked, and whole here: noVNC sends small messages.
function unframe(buffer, take) {
	while (buffer.length >= 2) {
		let size = buffer[1] & 127, at = 2;
		if (size === 126) {
			if (buffer.length < 4)
				break;
			size = buffer.readUInt16BE(2);
			at = 4;
		}
		if (buffer.length < at + 4 + size)
			break;
		const mask = buffer.subarray(at, at + 4);
		const data = Buffer.from(buffer.subarray(at + 4, at + 4 + size));
		for (let i = 0; i < size; i++)
			data[i] ^= mask[i & 3];
		if ((buffer[0] & 15) <= 2)
			take(data);
		buffer = buffer.subarray(at + 4 + size);
	}
	return buffer;
}

function bridge(request, browser) {
	const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
	const machine = connect(socketPath);
	let rest = Buffer.alloc(0);

	browser.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
		`Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}\r\n\r\n`);
	browser.on('data', (data) => {
		rest = unframe(Buffer.concat([rest, data]), (bytes) => machine.write(bytes));
	});
	machine.on('data', (data) => browser.write(frame(data)));
	browser.on('close', () => machine.destroy());
	browser.on('error', () => machine.destroy());
	machine.on('error', () => browser.destroy());
}

// --- the judge

function order(what) {
	events.write(`data: ${JSON.stringify(what)}\n\n`);
}

// Whether the canvas comes to show the picture.
async function shows(width, height, number) {
	let n = width * height;

	for (const end = Date.now() + 30000; n && Date.now() < end;) {
		const picture = once('picture', 20000);
		order({ look: true });
		n = differences(await picture, width, height, number);
		if (n)
			await new Promise((resolve) => setTimeout(resolve, 200));
	}
	return n;
}

const machine = spawn(program, [socketPath, '1024', '768'], { stdio: ['pipe', 'pipe', 'inherit'] });
let said = '';
machine.stdout.on('data', (data) => { said += data; });
while (!said.includes('ready'))
	await new Promise((resolve) => setTimeout(resolve, 50));

const server = createServer(serve);
server.on('upgrade', bridge);
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const connected = once('connected', 60000);
const browser = spawn(chromium, ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
	'--window-size=1200,1000', '--remote-debugging-port=0',
	`http://127.0.0.1:${server.address().port}/`], { stdio: 'ignore' });

try {
	await connected;
	result(true, 'noVNC connects');
	let n = await shows(1024, 768, 0);
	result(n === 0, 'noVNC shows the picture', `${n} pixels differ`);
	machine.stdin.write('next\n');
	n = await shows(1024, 768, 1);
	result(n === 0, 'noVNC shows the next picture', `${n} pixels differ`);
	machine.stdin.write('size 800 600\n');
	n = await shows(800, 600, 1);
	result(n === 0, 'noVNC follows a new size', `${n} pixels differ`);

	said = '';
	const keys = [[0x61, 'KeyA', '1e'], [0xffe4, 'ControlRight', '9d'], [0xff7f, 'NumLock', '45'],
		[0xff13, 'Pause', 'c6'], [0xff61, 'PrintScreen', 'b7'], [0xa5, 'IntlYen', '7d'],
		[0x5f, 'IntlRo', '73'], [0xff23, 'Convert', '79'], [0xff22, 'NonConvert', '7b'],
		[0xff27, 'KanaMode', '70'], [0xff2a, 'Backquote', '29']];
	order({ keys: keys.flatMap(([keysym, code]) => [[keysym, code, true], [keysym, code, false]]) });
	const expected = keys.map(([, , key]) => `key ${key} down\nkey ${key} up\n`).join('');
	for (const end = Date.now() + 10000; said.length < expected.length && Date.now() < end;)
		await new Promise((resolve) => setTimeout(resolve, 50));
	result(said === expected, 'keys arrive by their places', JSON.stringify(said));
} catch (error) {
	result(false, 'noVNC', error.message);
}
browser.kill('SIGKILL');
machine.kill();
process.exit(failed);
