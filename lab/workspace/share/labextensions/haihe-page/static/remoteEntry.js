// Notices of the workspace, each shown once while it holds, and the command that leads back to the console.
// Its words come from the server (lab/workspace/page/notices.py), in the language of the workspace.
(() => {
  const EVERY = 5000; // milliseconds between two questions
  const CONSOLE = '/services/console/';
  const data = JSON.parse(document.getElementById('jupyter-config-data').textContent);
  const address = `${data.baseUrl}api/workspace-notices`;

  const token = () => (document.cookie.match(/(?:^|; )_xsrf=([^;]*)/) || [])[1] || ''; // the hub wants it of each question

  const activate = app => {
    const words = { console: '', kernels: '' };
    const shown = new Map(); // the id of a notice: that of what shows it
    app.commands.addCommand('haihe:console', {
      label: () => words.console,
      execute: () => window.location.assign(CONSOLE), // a new tab is not open to this page
    });

    const show = async notice => {
      shown.set(notice.id, '');
      const aboutKernels = /^(kernels|waiting)-/.test(notice.id);
      const actions = aboutKernels ? [{ label: words.kernels, commandId: 'running:show-panel', args: {} }] : [];
      const options = { autoClose: false, actions };
      shown.set(notice.id, await app.commands.execute('apputils:notify', { message: notice.text, type: 'warning', options }));
    };
    const end = async id => {
      await app.commands.execute('apputils:dismiss-notification', { id: shown.get(id) });
      shown.delete(id);
    };
    const ask = async () => {
      const answer = await fetch(address, { headers: { 'X-XSRFToken': token() } });
      if (!answer.ok) return;
      const said = await answer.json();
      if (said.console !== words.console) {
        Object.assign(words, { console: said.console, kernels: said.kernels });
        app.commands.notifyCommandChanged('haihe:console');
      }
      const ids = new Set(said.notices.map(notice => notice.id));
      for (const notice of said.notices) if (!shown.has(notice.id)) await show(notice);
      for (const id of [...shown.keys()]) if (!ids.has(id)) await end(id);
    };
    // The server may be away for a moment or have ended, of which JupyterLab itself tells.
    const again = () => ask().catch(() => undefined).finally(() => window.setTimeout(again, EVERY));
    app.restored.then(again);
  };
  const plugin = { id: 'haihe-page:plugin', autoStart: true, activate };
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB['haihe-page'] = { init: () => {}, get: () => Promise.resolve(() => ({ __esModule: true, default: plugin })) };
})();
