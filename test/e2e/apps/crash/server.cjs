// Says why and ends, as a broken program does.
console.error("boom from the user container.");
process.exitCode = 1;
