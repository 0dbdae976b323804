// TLS servers of Node.js 0.12 or newer: node servers.js FILE, where FILE holds a list of
// {address, port, key, cert, ciphers, dhparam, without, options}.
var constants = require('constants');
var fs = require('fs');
var tls = require('tls');

var wanted = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
var left = wanted.length;
wanted.forEach(function (one) {
  var options = {key: fs.readFileSync(one.key), cert: fs.readFileSync(one.cert), ciphers: one.ciphers};
  if (one.dhparam) options.dhparam = fs.readFileSync(one.dhparam);
  if (process.version.indexOf('v0.') === 0) {
    options.secureProtocol = 'SSLv23_method';
    options.secureOptions = 0;
    one.without.forEach(function (version) { options.secureOptions |= constants['SSL_OP_NO_' + version]; });
  }
  Object.keys(one.options).forEach(function (name) { options[name] = one.options[name]; });
  var server = tls.createServer(options, function (client) {
    client.on('error', function () {});
    client.end('HTTP/1.0 204 No Content\r\n\r\n');
  });
  // Scanners break off; neither name of the event may end the process.
  server.on('clientError', function () {});
  server.on('tlsClientError', function () {});
  server.listen(one.port, one.address, function () { if (--left === 0) console.log('ready'); });
});
