/** Who are you? */

import { post } from '../api.js';
import { field, fill, h } from '../dom.js';

export function open(root, parts, app) {
  const user = h('input', { name: 'user', autocomplete: 'username', required: true });
  const password = h('input', { name: 'password', type: 'password', autocomplete: 'current-password', required: true });
  const wrong = h('p.wrong', { role: 'alert' });
  const submit = async (event) => {
    event.preventDefault();
    wrong.textContent = '';
    try {
      await post('/api/login', { user: user.value, password: password.value });
      await app.enter();
      app.go('modems');
    } catch (error) {
      wrong.textContent = error.message;
      password.value = '';
      password.focus();
    }
  };
  fill(root, h('form.card.login', { onsubmit: submit },
    h('h1', null, 'Log in'), field('User', user), field('Password', password), wrong,
    h('button.main', { type: 'submit' }, 'Log in')));
  user.focus();
}
