// Copying, attachments and reminding; without it the pages still show everything and the form still works.
"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const show = (element) => { if (element) element.hidden = false; };

  // --- copying ---
  const copy = by("copy");
  if (copy) {
    show(copy);
    copy.addEventListener("click", async () => {
      const text = by("ready");
      let done = false;
      try { await navigator.clipboard.writeText(text.value); done = true; } catch {
        text.select();
        done = document.execCommand("copy");
      }
      by("copied").textContent = done ? "已复制 copied" : "请长按文字复制 copy it by hand";
    });
  }

  // --- an entry, with its attachment ---
  const form = by("enter");
  const field = document.querySelector("#file input");
  if (field) show(by("file"));

  const base64 = (blob) => new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = failed;
    reader.readAsDataURL(blob);
  });
  // A telephone's picture is megabytes: it is made smaller here, and what it was taken with and where stays behind.
  const smaller = async (file, most) => {
    if (!file.type.startsWith("image/")) return file;
    try {
      const picture = await createImageBitmap(file);
      for (let side = 1600; side >= 400; side /= 2) {
        const scale = Math.min(1, side / Math.max(picture.width, picture.height));
        const canvas = document.createElement("canvas");
        canvas.width = Math.max(1, Math.round(picture.width * scale));
        canvas.height = Math.max(1, Math.round(picture.height * scale));
        canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
        const made = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.8));
        if (made && made.size <= most) return made;
      }
    } catch { /* not a picture that this browser knows: as it is */ }
    return file;
  };

  if (form) form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = by("answer");
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    answer.textContent = "正在提交… sending…";
    try {
      const given = new FormData(form);
      const body = {};
      for (const name of ["outcome", "name", "done", "note"]) body[name] = given.get(name) || "";
      const file = field && field.files[0];
      if (file) body.attachment = await base64(await smaller(file, Number(field.dataset.most)));
      const reply = await fetch(form.action, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json" },
        body: JSON.stringify(body),
      });
      if (reply.ok) { location.reload(); return; }
      const why = await reply.json();
      answer.textContent = `${why.zh || ""} ${why.error || ""}`;
    } catch {
      answer.textContent = "没有提交成功,请检查网络后再试。 Not sent: check the network and try again.";
    }
    button.disabled = false;
  });

  // --- reminding: as long as somebody is waited for ---
  const list = by("list");
  const item = by("item");
  let sounding = null;
  const beep = () => {
    if (!sounding) return;
    const tone = sounding.createOscillator();
    tone.frequency.value = 880;
    tone.connect(sounding.destination);
    tone.start();
    tone.stop(sounding.currentTime + 0.6);
  };
  // A browser lets a page shake the telephone only once somebody has touched it.
  const shake = (how) => {
    const touched = navigator.userActivation && navigator.userActivation.hasBeenActive;
    if (touched && navigator.vibrate) navigator.vibrate(how);
  };
  const remind = () => {
    const waiting = Number(list.dataset.waiting);
    const overdue = Number(list.dataset.overdue);
    document.title = document.title.replace(/^(⚠ )?\(\d+\)/, (overdue ? "⚠ " : "") + `(${waiting})`);
    if (waiting > 0) {
      beep();
      shake(300);
    }
  };
  const renew = async () => {
    try {
      const reply = await fetch(location.href, { headers: { accept: "text/html" } });
      const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").getElementById("list");
      if (!fresh) { location.reload(); return; }
      const button = by("sound");
      fresh.querySelector("#sound").replaceWith(button);
      list.replaceChildren(...fresh.childNodes);
      list.dataset.waiting = fresh.dataset.waiting;
      list.dataset.overdue = fresh.dataset.overdue;
      remind();
    } catch { document.title = `网络中断 offline ${document.title.replace(/^网络中断 offline /, "")}`; }
  };
  if (list) {
    const button = by("sound");
    show(button);
    button.addEventListener("click", () => { sounding = new AudioContext(); beep(); button.disabled = true; });
    remind();
    setInterval(renew, 15000);
  }
  if (item && item.dataset.standing === "open") {
    const left = Number(item.dataset.due) - Date.now();
    // At its time the page says that it is overdue; what is being typed is not thrown away.
    if (left > 0 && left < 2 ** 31) setTimeout(() => {
      document.title = `⚠ 逾期 overdue · ${document.title}`;
      shake([300, 200, 300]);
    }, left);
  }
})();
