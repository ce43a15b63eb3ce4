/** The twelve lights of a US Robotics front and what each tells. */

export const LIGHTS = [
  ['HS', 'High speed', 'connected faster than 2400 bit/s'],
  ['AA', 'Auto answer', 'the modem will answer; it blinks while it rings'],
  ['CD', 'Carrier detect', 'the far modem is heard (circuit 109)'],
  ['OH', 'Off hook', 'the modem holds the line'],
  ['RD', 'Received data', 'octets go to the terminal (circuit 104)'],
  ['SD', 'Send data', 'octets come from the terminal (circuit 103)'],
  ['TR', 'Terminal ready', 'the terminal is there (circuit 108/2)'],
  ['MR', 'Modem ready', 'the modem is on (circuit 107)'],
  ['RS', 'Request to send', 'the terminal takes data (circuit 105)'],
  ['CS', 'Clear to send', 'the modem takes data (circuit 106)'],
  ['SYN', 'Synchronous', 'synchronous mode'],
  ['ARQ', 'Error control', 'LAPM carries the data; it blinks when a frame is sent again'],
];

/** Link rates of &N on a US Robotics modem, in the order of the command. */
export const LINK_RATES = [
  null, 300, 1200, 2400, 4800, 7200, 9600, 12000, 14400, 16800, 19200, 21600, 24000, 26400, 28800, 31200, 33600,
];
