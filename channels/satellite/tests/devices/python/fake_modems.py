"""Real modems' answers, as somebody else wrote them down (the tests of PyPI's python-gsmmodem-new), on a TCP port each. They
know no text after a prompt, so that much is added here. Prints one line for each: its name, its port."""
import socket
import sys
import threading

sys.path.insert(0, sys.argv[1])
import fakemodems


def serve(listener, modem):
    while True:
        connection, _ = listener.accept()
        typed, text, count = b"", False, 0
        while True:
            read = connection.recv(512)
            if not read:
                break
            for byte in read:
                byte = bytes([byte])
                if text and byte == b"\x1a":
                    text, typed, count = False, b"", count + 1
                    connection.sendall(b"\r\n+CMGS: %d\r\n\r\nOK\r\n" % count)
                elif not text and byte == b"\r":
                    command, typed = typed.decode(errors="replace").strip("\x1b"), b""
                    if not command:
                        continue
                    if command.startswith("AT+CMGS="):
                        text = True
                        connection.sendall(b"\r\n> ")
                    else:
                        answer = modem.getResponse(command + "\r")
                        connection.sendall("".join("\r\n" + line for line in answer if isinstance(line, str)).encode())
                else:
                    typed += byte


for modem in fakemodems.createModems():
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listener, modem), daemon=True).start()
    print(type(modem).__name__, listener.getsockname()[1], flush=True)
sys.stdin.read()
